"""A running twin and a client node on a domain of their own, for the integration tests."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from controller_manager_msgs.srv import ListControllers, SwitchController
from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, Quaternion, WrenchStamped
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery.robot_profile import RobotProfile
from refinery_msgs.srv import InjectFault, TwinTrial, TwinTruth
from refinery_ros import qos
from refinery_ros.conversions import seconds
from refinery_ros.testing.graph import asking

PATIENCE_S = 60.0
"""Longest wait for anything, wall clock; only a failure takes this long."""


class Client:
    """Talks to the twin as a robot program would; keeps the last message of every state topic."""

    def __init__(self, profile: RobotProfile, context: rclpy.Context) -> None:
        self.profile = profile
        self.node = rclpy.create_node("twin_test_client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self.last: dict[str, Any] = {}
        self.count: dict[str, int] = {}
        for name, kind, topic in (
            ("pose", PoseStamped, profile.pose_topic),
            ("joints", JointState, profile.joint_state_topic),
            ("wrench", WrenchStamped, profile.wrench_topic),
            ("robot", FrankaRobotState, profile.topics.robot_state.name),
        ):
            self.node.create_subscription(kind, topic, self._keeper(name), qos.SENSOR)
        self.sockets: list[PoseStamped] = []
        self.node.create_subscription(PoseStamped, profile.socket_pose_topic, self.sockets.append, 10)
        self.target_out = self.node.create_publisher(PoseStamped, profile.target_pose_topic, 1)
        self.stiffness_out = self.node.create_publisher(Float64MultiArray, profile.target_stiffness_topic, 1)
        self.trajectory_out = self.node.create_publisher(JointTrajectory, profile.trajectory_topic, 1)
        self._switch = self.node.create_client(SwitchController, profile.services.switch_controller)
        self._list = self.node.create_client(ListControllers, profile.services.list_controllers)
        self._inject = self.node.create_client(InjectFault, "twin/inject_fault")
        self._trial = self.node.create_client(TwinTrial, "twin/trial")
        self._truth = self.node.create_client(TwinTruth, "twin/truth")

    def _keeper(self, name: str) -> Callable[[Any], None]:
        def keep(message: Any) -> None:
            self.last[name] = message
            self.count[name] = self.count.get(name, 0) + 1

        return keep

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Spin until the condition holds; fail naming ``what``."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"no {what} after {PATIENCE_S:.0f} s"
            self.executor.spin_once(timeout_sec=0.05)

    def spin_wall(self, duration_s: float) -> None:
        """Spin for some time by the clock on the wall."""
        end = time.monotonic() + duration_s
        while time.monotonic() < end:
            self.executor.spin_once(timeout_sec=0.05)

    def spin_sim(self, duration_s: float) -> None:
        """Spin for some simulated time, until pose and joints of its end are here."""
        self.fresh()
        end = self.time_s + duration_s
        self.wait_for(lambda: self.time_s >= end, f"{duration_s} s of simulated time")

    def fresh(self) -> None:
        """Wait for a new pose and new joints: two topics, and an old message of either may be waiting to be read."""
        seen = {name: self.count.get(name, 0) for name in ("pose", "joints")}
        self.wait_for(
            lambda: all(self.count.get(name, 0) > count + 1 for name, count in seen.items()), "state of the arm"
        )

    def wait_silent(self, heard: Callable[[], object], silence_s: float = 0.5) -> None:
        """Spin until nothing of what is counted has come for some time; what was on its way is read before."""

        def silent() -> bool:
            before = heard()
            self.spin_wall(silence_s)
            return heard() == before

        self.wait_for(silent, "silence")

    def wait_mode(self, mode: int) -> Any:
        """Wait until the robot reports a mode; returns the report."""
        self.wait_for(lambda: "robot" in self.last and self.last["robot"].robot_mode == mode, f"robot in mode {mode}")
        return self.last["robot"]

    @property
    def time_s(self) -> float:
        """Simulated time up to which both pose and joints are known, [s]."""
        return min(seconds(self.last[name].header.stamp) for name in ("pose", "joints"))

    @property
    def position_m(self) -> np.ndarray:
        p = self.last["pose"].pose.position
        return np.array([p.x, p.y, p.z])

    @property
    def joints_rad(self) -> np.ndarray:
        return np.array(self.last["joints"].position)

    def _call(self, client: Any, request: Any) -> Any:
        self.wait_for(client.service_is_ready, f"service {client.srv_name}")
        answer = asking(client, request)
        self.wait_for(lambda: answer() is not None, f"answer from {client.srv_name}")
        return answer()

    def impedance(self, active: bool) -> Any:
        """Switch to the impedance controller or back, in STRICT mode."""
        names = self.profile.controllers
        on, off = (names.impedance, names.trajectory) if active else (names.trajectory, names.impedance)
        return self.switch([on], [off])

    def switch(
        self,
        activate: Sequence[str],
        deactivate: Sequence[str],
        strictness: int = SwitchController.Request.STRICT,
    ) -> Any:
        request = SwitchController.Request(
            activate_controllers=list(activate),
            deactivate_controllers=list(deactivate),
            strictness=strictness,
        )
        return self._call(self._switch, request)

    def controllers(self) -> dict[str, str]:
        answer = self._call(self._list, ListControllers.Request())
        return {controller.name: controller.state for controller in answer.controller}

    def inject(self, kind: str, stream: str = "", **numbers: float) -> Any:
        return self._call(self._inject, InjectFault.Request(kind=kind, stream=stream, **numbers))

    def trial(self, seed: int, hold_plug: bool = True, grasp: Sequence[float] = ()) -> Any:
        return self._call(self._trial, TwinTrial.Request(seed=seed, hold_plug=hold_plug, grasp=list(grasp)))

    def truth(self) -> Any:
        return self._call(self._truth, TwinTruth.Request())

    def send_target(
        self, move_m: np.ndarray, *, frame: str | None = None, orientation: Quaternion | None = None
    ) -> None:
        """Command the present tool position moved along the base axes, in the given or the present orientation."""
        self.fresh()
        message = PoseStamped()
        message.header.frame_id = self.profile.base_frame if frame is None else frame
        message.pose.orientation = orientation or self.last["pose"].pose.orientation
        x, y, z = (self.position_m + move_m).tolist()
        message.pose.position.x, message.pose.position.y, message.pose.position.z = x, y, z
        self.target_out.publish(message)

    def send_trajectory(self, goal_rad: np.ndarray, duration_s: int) -> None:
        """Command a trajectory of one point."""
        point = JointTrajectoryPoint(positions=goal_rad.tolist(), velocities=[0.0] * 7)
        point.time_from_start.sec = duration_s
        message = JointTrajectory(joint_names=list(self.profile.joint_names), points=[point])
        self.trajectory_out.publish(message)

    def connected(self) -> None:
        """Wait until the twin hears all three command topics and the client hears the twin."""
        outputs = (self.target_out, self.stiffness_out, self.trajectory_out)
        self.wait_for(lambda: all(p.get_subscription_count() == 1 for p in outputs), "twin on the command topics")
        self.fresh()
        self.wait_for(lambda: bool(self.sockets), "socket estimate")

    def close(self) -> None:
        self.executor.shutdown()
        self.node.destroy_node()


def start_twin(env: dict[str, str], log: Path, **parameters: object) -> subprocess.Popen[bytes]:
    """Start the node in a process of its own; its output goes to a file."""
    arguments = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, "-m", "refinery_twin.node", "--ros-args", *arguments]
    with log.open("wb") as out:
        return subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)


def stop_twin(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> int:
    """Send a signal and return the exit status."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
