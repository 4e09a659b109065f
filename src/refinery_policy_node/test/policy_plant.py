"""A robot of a few lines behind real topics and services, in simulated time, with faults that tests switch on."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
from controller_manager_msgs.msg import ControllerState
from controller_manager_msgs.srv import ListControllers, SwitchController
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.clock import Clock as RosClock
from rclpy.clock import ClockType
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float64MultiArray

from refinery.initial_state import GRASP, tool_pose
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.lagging_cell import LaggingCell
from refinery.tick.pose import Pose
from refinery_policy_node.messages import pose_sample
from refinery_ros import qos
from refinery_ros.conversions import pose_stamped_message

_STEP_S = 0.01
_ESTIMATE_STEPS = 2


class Plant(Node):
    """Publishes the state of a :class:`LaggingCell` and follows the target while the impedance controller is on.

    Args:
        task: The task.
        profile: Names of topics and frames.
        silent: Topics not to publish at all, of pose, wrench, socket, robot.
        estimate_qos: Reliability of the socket estimate.
    """

    def __init__(
        self,
        task: Task,
        profile: RobotProfile,
        *,
        silent: tuple[str, ...] = (),
        estimate_qos: ReliabilityPolicy = ReliabilityPolicy.RELIABLE,
    ) -> None:
        super().__init__("test_plant")
        self.lock = threading.Lock()
        self.task, self.profile = task, profile
        self.cell = LaggingCell(task)
        self.impedance = False
        self.impedance_calls: list[bool] = []
        self.targets: list[Pose] = []
        self.stiffness: list[float] = []
        self.frozen: set[str] = set()
        self.paused = False
        self.estimate_turns_rad = [0.0]
        self.wrench = np.zeros(6)
        self.pose_shift_m = np.zeros(3)
        self.refuse_switch = False
        self.mode = FrankaRobotState.ROBOT_MODE_MOVE
        self._target = Pose.of(self.cell.tool)
        self._steps = 0
        best = qos.SENSOR
        reliable = qos.COMMAND
        outputs = {
            "pose": (PoseStamped, profile.pose_topic, best),
            "wrench": (WrenchStamped, profile.wrench_topic, best),
            "robot": (FrankaRobotState, profile.topics.robot_state.name, reliable),
            "socket": (PoseStamped, profile.socket_pose_topic, QoSProfile(depth=1, reliability=estimate_qos)),
        }
        self._out: dict[str, Any] = {
            name: self.create_publisher(*output) for name, output in outputs.items() if name not in silent
        }
        self._clock_out = self.create_publisher(Clock, "/clock", best)
        self.create_subscription(PoseStamped, profile.target_pose_topic, self._on_target, reliable)
        self.create_subscription(Float64MultiArray, profile.target_stiffness_topic, self._on_stiffness, reliable)
        self.create_service(SwitchController, profile.services.switch_controller, self._on_switch)
        self.create_service(ListControllers, profile.services.list_controllers, self._on_list)
        self.create_timer(_STEP_S, self._step, clock=RosClock(clock_type=ClockType.STEADY_TIME))

    def place(self, theta: np.ndarray | None = None) -> None:
        """Put the arm at an initial state; the middle of the deployment box if None."""
        box = self.task.initial_state.deployed
        theta = (box.low + box.high) / 2 if theta is None else theta
        with self.lock:
            self.cell.grasp = theta[None, GRASP]
            self.cell.tool = tool_pose(self.cell.socket, theta[None], self.task.plug.tool_from_plug)
            self.targets.clear()

    def wait_for_steps(self, count: int) -> None:
        """Wait until the state has been published so many times more, so that the node has seen the latest."""
        end = self._steps + count
        while self._steps < end:
            time.sleep(_STEP_S)

    def heal(self) -> None:
        """End all faults."""
        with self.lock:
            self.frozen.clear()
            self.paused = False
            self.estimate_turns_rad = [0.0]
            self.wrench = np.zeros(6)
            self.pose_shift_m = np.zeros(3)
            self.refuse_switch = False
            self.mode = FrankaRobotState.ROBOT_MODE_MOVE

    def _step(self) -> None:
        with self.lock:
            self._steps += 1
            if self.paused:
                return
            now_s = self.cell.now_s + _STEP_S
            if self.impedance:
                # follow() advances one policy period; here time runs in smaller steps.
                self.cell.follow(self._target, share=0.25)
            self.cell.now_s = now_s
            self._publish(Time(nanoseconds=round(now_s * 1e9)).to_msg())

    def _publish(self, stamp: Any) -> None:
        inputs, frame = self.cell.inputs(), self.profile.base_frame
        if "pose" in self._out and "pose" not in self.frozen:
            tool = Poses(pos_m=self.cell.tool.pos_m + self.pose_shift_m, quat_xyzw=self.cell.tool.quat_xyzw)
            self._out["pose"].publish(pose_stamped_message(tool, frame, stamp))
        if "wrench" in self._out and "wrench" not in self.frozen:
            wrench = WrenchStamped()
            wrench.header.frame_id, wrench.header.stamp = frame, stamp
            force = wrench.wrench.force
            force.x, force.y, force.z = self.wrench[:3].tolist()
            self._out["wrench"].publish(wrench)
        if "robot" in self._out and "robot" not in self.frozen:
            robot = FrankaRobotState(robot_mode=self.mode)
            robot.header.frame_id, robot.header.stamp = frame, stamp
            robot.current_errors.cartesian_reflex = self.mode == FrankaRobotState.ROBOT_MODE_REFLEX
            self._out["robot"].publish(robot)
        if "socket" in self._out and "socket" not in self.frozen and self._steps % _ESTIMATE_STEPS == 0:
            turns = self.estimate_turns_rad
            turn = Poses.from_xyz_rpy([0, 0, 0], [0, 0, turns[self._steps // _ESTIMATE_STEPS % len(turns)]])
            self._out["socket"].publish(pose_stamped_message(inputs.estimate.pose().batch() @ turn, frame, stamp))
        self._clock_out.publish(Clock(clock=stamp))

    def _on_target(self, message: PoseStamped) -> None:
        with self.lock:
            self._target = pose_sample(message).pose()
            self.targets.append(self._target)

    def _on_stiffness(self, message: Float64MultiArray) -> None:
        self.stiffness = list(message.data)

    def _on_switch(self, request: SwitchController.Request, response: SwitchController.Response) -> Any:
        assert request.strictness == SwitchController.Request.STRICT
        impedance = self.profile.controllers.impedance in request.activate_controllers
        with self.lock:
            response.ok = not (self.refuse_switch and impedance)
            response.message = "" if response.ok else "joint 3 is on strike"
            if response.ok:
                self.impedance = impedance
            self.impedance_calls.append(impedance)
            self._target = Pose.of(self.cell.tool)
        return response

    def _on_list(self, request: ListControllers.Request, response: ListControllers.Response) -> Any:
        names = self.profile.controllers
        for name, active in ((names.trajectory, not self.impedance), (names.impedance, self.impedance)):
            response.controller.append(ControllerState(name=name, state="active" if active else "inactive"))
        return response
