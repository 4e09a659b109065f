"""The ROS shell of the twin: a paced loop steps the plant and publishes its state, a thread listens to the graph.

Polling the graph between two states would cost more than the physics, so a second thread waits for messages. It only
keeps them; the loop takes them in before the next step. Services answer at once, under the lock the loop steps under.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray
from std_srvs.srv import SetBool
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from refinery.errors import RefineryError
from refinery.grasp import requested_grasp
from refinery.initial_state import GRASP_NAMES, THETA_NAMES
from refinery.paths import config_file
from refinery.robot_interface import TopicSpec
from refinery.rotations import Array
from refinery.task import load_task
from refinery_msgs.srv import TwinTrial, TwinTruth
from refinery_twin.estimates import ESTIMATES_PER_POLICY_STEP
from refinery_twin.inputs import target_from, trajectory_from
from refinery_twin.messages import StateMessages, to_pose
from refinery_twin.pacing import Pacer
from refinery_twin.parameters import declare_parameters
from refinery_twin.plant import Mode, Plant
from refinery_twin.trial import Trial, draw_trial

_BEST_EFFORT = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_RELIABLE = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
_WARN_EVERY_S = 2.0
_DIAGNOSTICS_EVERY_S = 1.0
_LISTEN_S = 0.2
_MAX_WAITING = 16
"""At most this many messages wait for the next step; of a flood only the newest are taken in."""


class TwinNode(Node):
    """The cell behind the topics and services of the real one. Not lifecycle-managed: a real cell is just there."""

    def __init__(self) -> None:
        super().__init__("refinery_twin")
        self._settings, self._profile = declare_parameters(self)
        self._task = load_task(config_file("tasks", self._settings.task))
        self._plant = Plant(self._task, self._profile.home_rad)
        self._limits = self._plant.joint_limits(self._profile.max_joint_velocity_rad_s)
        self._messages = StateMessages(self._profile.base_frame, self._profile.joint_names)
        self._trial = self._start_trial(self._settings.seed, np.zeros((1, len(GRASP_NAMES))))
        self._chunk = max(1, round(1000.0 / self._settings.state_rate_hz))
        self._pacer = Pacer(self._settings.realtime_factor)
        self._due_joints_s = self._due_estimate_s = 0.0
        self._estimate_period_s = 1.0 / (ESTIMATES_PER_POLICY_STEP * self._task.control.policy_rate_hz)
        self._due_diagnostics_s = time.monotonic() + _DIAGNOSTICS_EVERY_S
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque(maxlen=_MAX_WAITING)
        self._open_outputs()
        self._open_inputs()

    def _open_outputs(self) -> None:
        topics = self._profile.topics
        self._clock_out = self.create_publisher(Clock, "/clock", _BEST_EFFORT)
        self._tool_out = self.create_publisher(PoseStamped, topics.pose.name, _qos(topics.pose))
        self._measured_joints_out = self.create_publisher(JointState, topics.joint_state.name, _qos(topics.joint_state))
        self._wrench_out = self.create_publisher(WrenchStamped, topics.wrench.name, _qos(topics.wrench))
        self._joints_out = self.create_publisher(JointState, "joint_states", 10)
        self._socket_out = self.create_publisher(PoseStamped, topics.socket_pose.name, _qos(topics.socket_pose))
        self._diagnostics_out = self.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def _open_inputs(self) -> None:
        profile = self._profile
        for kind, topic, handle in (
            (PoseStamped, profile.target_pose_topic, self._on_target),
            (Float64MultiArray, profile.target_stiffness_topic, self._on_stiffness),
            (JointTrajectoryMsg, profile.trajectory_topic, self._on_trajectory),
        ):
            self.create_subscription(kind, topic, partial(self._keep, handle), _RELIABLE)
        self._target_topic = self.resolve_topic_name(profile.target_pose_topic)
        self.create_service(SetBool, profile.impedance_service or "twin/impedance", self._on_impedance)
        self.create_service(TwinTrial, "twin/trial", self._on_trial)
        self.create_service(TwinTruth, "twin/truth", self._on_truth)

    def _keep(self, handle: Callable[[Any], None], message: object) -> None:
        """Keep a message for the loop; runs in the listening thread."""
        self._waiting.append((handle, message))

    def advance(self) -> None:
        """Wait for the next state's time, take in messages, step to the state and publish it."""
        self._pacer.wait(self._plant.time_s)
        with self._lock:
            for _ in range(len(self._waiting)):
                handle, message = self._waiting.popleft()
                handle(message)
            try:
                self._plant.step(self._chunk)
            except RefineryError as error:
                self.get_logger().error(f"{error}; the arm is back home")
                self._plant.reset(control_bias_m=self._trial.draw.control_bias_m)
                return
            self._trial.observe_force(self._plant.contact_force_n)
            self._publish()

    def _publish(self) -> None:
        """Publish what is due; /clock goes last, so that whoever wakes up by it finds the state of that time."""
        now_s, messages = self._plant.time_s, self._messages
        messages.set_time(self._plant.steps)
        messages.fill(self._plant)
        self._tool_out.publish(messages.tool)
        self._measured_joints_out.publish(messages.joints)
        self._wrench_out.publish(messages.wrench)
        if now_s >= self._due_estimate_s:
            self._due_estimate_s = _next_due(self._due_estimate_s, self._estimate_period_s, now_s)
            self._trial.observe_plug(self._plant.plug)
            messages.fill_socket(self._trial.draw.estimator.next())
            self._socket_out.publish(messages.socket)
        if now_s >= self._due_joints_s:
            self._due_joints_s = _next_due(self._due_joints_s, 1.0 / self._settings.joint_state_rate_hz, now_s)
            self._joints_out.publish(messages.joints)
        self._clock_out.publish(messages.clock)
        if time.monotonic() >= self._due_diagnostics_s:
            self._due_diagnostics_s = time.monotonic() + _DIAGNOSTICS_EVERY_S
            self._publish_diagnostics()

    def _publish_diagnostics(self) -> None:
        factor, asked = self._pacer.achieved(self._plant.time_s), self._settings.realtime_factor
        behind = asked > 0 and factor < 0.9 * asked
        text = f"{factor:.2f} times real time" + (f", behind the {asked:g} asked for" if behind else "")
        values = {
            "realtime_factor": f"{factor:.3f}",
            "realtime_factor_asked": f"{asked:g}",
            "controller": self._plant.mode.value,
            "trial_seed": str(self._trial.draw.seed),
            "task": self._task.name,
        }
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if behind else DiagnosticStatus.OK,
            name="refinery_twin: physics",
            message=text,
            hardware_id="simulation",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._messages.stamp
        self._diagnostics_out.publish(array)

    def _start_trial(self, seed: int, grasp: Array) -> Trial:
        draw = draw_trial(self._task, seed)
        self._plant.reset(socket=draw.socket, grasp=grasp, friction=draw.friction, control_bias_m=draw.control_bias_m)
        return Trial(self._task, draw, grasp)

    def _on_target(self, message: PoseStamped) -> None:
        publishers = self.count_publishers(self._target_topic)
        if publishers > 1:
            self.get_logger().error(
                f"{self._target_topic} has {publishers} publishers, expected 1: targets ignored until the others stop",
                throttle_duration_sec=_WARN_EVERY_S,
            )
            return
        try:
            target = target_from(message, self._profile.base_frame)
        except RefineryError as error:
            self.get_logger().error(str(error), throttle_duration_sec=_WARN_EVERY_S)
            return
        if self._plant.mode is Mode.IMPEDANCE:
            self._plant.set_target(target)
        else:
            self.get_logger().warning(
                "target_pose ignored: the trajectory controller is active, call twin/impedance first",
                throttle_duration_sec=_WARN_EVERY_S,
            )

    def _on_stiffness(self, message: Float64MultiArray) -> None:
        try:
            self._plant.set_stiffness(list(message.data))
        except RefineryError as error:
            self.get_logger().error(f"{error}; stiffness unchanged", throttle_duration_sec=_WARN_EVERY_S)

    def _on_trajectory(self, message: JointTrajectoryMsg) -> None:
        if not message.points:
            self._plant.stop_trajectory()
            return
        plant = self._plant
        try:
            trajectory = trajectory_from(
                message,
                self._profile.joint_names,
                now_s=plant.time_s,
                start_rad=plant.joints_rad,
                limits=self._limits,
            )
            plant.follow(trajectory)
        except RefineryError as error:
            self.get_logger().error(f"joint trajectory refused: {error}")

    def _on_impedance(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        with self._lock:
            if request.data and self._plant.mode is Mode.TRAJECTORY:
                self._plant.set_mode(Mode.IMPEDANCE)
                self._trial.hand_over(self._plant.plug)
            elif not request.data:
                self._plant.set_mode(Mode.TRAJECTORY)
            response.success, response.message = True, f"the {self._plant.mode.value} controller is active"
        return response

    def _on_trial(self, request: TwinTrial.Request, response: TwinTrial.Response) -> TwinTrial.Response:
        try:
            if request.seed < 0:
                raise RefineryError(f"seed: expected a number >= 0, got {request.seed}")
            if not request.hold_plug:
                raise RefineryError("hold_plug: expected true, the plug is part of the hand in this version")
            grasp = requested_grasp(request.grasp, self._task)
        except RefineryError as error:
            response.success, response.message = False, f"{error}; nothing was changed"
            return response
        with self._lock:
            self._waiting.clear()
            self._trial = self._start_trial(request.seed, grasp)
            # Whoever keeps the last estimate should not go on with one of the cell before.
            self._due_estimate_s = self._plant.time_s
            response.socket_estimate.header.frame_id = self._profile.base_frame
            response.socket_estimate.header.stamp = self._messages.stamp
            response.socket_estimate.pose = to_pose(self._trial.draw.estimator.next())
        response.success, response.message = True, f"trial {request.seed} is set up, the arm is at home"
        return response

    def _on_truth(self, request: TwinTruth.Request, response: TwinTruth.Response) -> TwinTruth.Response:
        with self._lock:
            truth, seed = self._trial.truth(self._plant.plug), self._trial.draw.seed
        response.strict_success, response.engaged = truth.strict, truth.engaged
        response.depth_m = self._task.rim_height_m - float(truth.errors.height_m[0])
        response.lateral_error_m = float(truth.errors.lateral_m[0])
        response.angle_error_rad = float(truth.errors.angle_rad[0])
        response.theta_names = list(THETA_NAMES)
        response.theta = truth.theta.tolist() if truth.theta is not None else []
        response.max_force_n = truth.max_contact_force_n
        note = "" if truth.theta is not None else ": no hand-over yet, theta is empty"
        response.success, response.message = True, f"trial {seed}{note}"
        return response


def _qos(topic: TopicSpec) -> QoSProfile:
    return QoSProfile(depth=topic.depth, reliability=ReliabilityPolicy[topic.reliability.upper()])


def _next_due(due_s: float, period_s: float, now_s: float) -> float:
    """Next multiple of the period after now, on the same grid, so that the mean rate is exact."""
    return due_s + period_s * (int((now_s - due_s) / period_s) + 1)


def main() -> int:
    """Run the twin until SIGINT or SIGTERM; returns the exit status."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    stop = threading.Event()

    def request_stop(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    node = None
    try:
        node = TwinNode()
        _run(node, stop)
    except (RefineryError, ParameterException) as error:
        print(f"refinery_twin: {error}", file=sys.stderr)
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


def _run(node: TwinNode, stop: threading.Event) -> None:
    """Listen to the graph in a thread and step in this one until told to stop."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def listen() -> None:
        # An executor that another thread shuts down while it spins may raise: it leaves by itself, within one timeout.
        while not stop.is_set():
            executor.spin_once(timeout_sec=_LISTEN_S)

    listener = threading.Thread(target=listen, name="graph", daemon=True)
    listener.start()
    node.get_logger().info("the cell is up")
    stopped = False
    try:
        while listener.is_alive() and not stop.is_set():
            node.advance()
        stopped = stop.is_set()
    finally:
        stop.set()
        listener.join()
        executor.shutdown()
    if not stopped:
        raise RefineryError("the thread that listens to the graph ended; its error is above")
    node.get_logger().info("stopped by a signal")


if __name__ == "__main__":
    sys.exit(main())
