"""Publishes the state of the cell, at the rates of the real one, with the injected faults."""

from __future__ import annotations

from typing import Any

from franka_msgs.msg import FrankaRobotState
from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.node import Node
from rclpy.publisher import Publisher
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import JointState

from refinery.robot_profile import RobotProfile
from refinery_ros import qos
from refinery_sim.plant import Mode, Plant
from refinery_twin.estimates import ESTIMATES_PER_POLICY_STEP
from refinery_twin.faults import STREAMS, Fault, FaultSchedule, FaultyStream
from refinery_twin.parameters import TwinParameters
from refinery_twin.state_messages import StateMessages
from refinery_twin.trial import Trial

_MODES = {
    "reflex": FrankaRobotState.ROBOT_MODE_REFLEX,
    "user_stop": FrankaRobotState.ROBOT_MODE_USER_STOPPED,
    "robot_mode": FrankaRobotState.ROBOT_MODE_IDLE,
}


class Outputs:
    """Publishes the state of the cell.

    Args:
        node: Gets the publishers.
        profile: Names of topics and frames.
        settings: Rates.
        policy_rate_hz: Policy rate of the task, of which the rate of socket estimates is a multiple, [Hz].
        faults: Injected faults.
    """

    def __init__(
        self, node: Node, profile: RobotProfile, settings: TwinParameters, policy_rate_hz: float, faults: FaultSchedule
    ) -> None:
        topics = profile.topics
        self._node, self._faults = node, faults
        self.messages = StateMessages(profile.base_frame, profile.joint_names)
        """The messages, as last published."""
        self._streams = {name: FaultyStream(name) for name in STREAMS}
        self._out: dict[str, Publisher] = {
            "pose": node.create_publisher(PoseStamped, topics.pose.name, qos.topic_qos(topics.pose)),
            "wrench": node.create_publisher(WrenchStamped, topics.wrench.name, qos.topic_qos(topics.wrench)),
            "socket_pose": node.create_publisher(
                PoseStamped, topics.socket_pose.name, qos.topic_qos(topics.socket_pose)
            ),
            "robot_state": node.create_publisher(
                FrankaRobotState, topics.robot_state.name, qos.topic_qos(topics.robot_state)
            ),
        }
        self._socket_topic = topics.socket_pose
        self._socket_spoiled = False
        self._clock = node.create_publisher(Clock, "/clock", qos.CLOCK)
        # Ground truth for the evaluation of an insertion: no fault changes it.
        self._commanded = node.create_publisher(WrenchStamped, "twin/commanded_wrench", qos.RECORDING)
        self._measured_joints = node.create_publisher(
            JointState, topics.joint_state.name, qos.topic_qos(topics.joint_state)
        )
        self._joints = node.create_publisher(JointState, "joint_states", qos.JOINT_STATES)
        self._estimate_period_s = 1.0 / (ESTIMATES_PER_POLICY_STEP * policy_rate_hz)
        self._joints_period_s = 1.0 / settings.joint_state_rate_hz
        self._robot_period_s = 1.0 / settings.robot_state_rate_hz
        self._due_joints_s = self._due_estimate_s = self._due_robot_s = self._since_s = 0.0

    def estimate_at_once(self, now_s: float) -> None:
        """Publish a socket estimate with the next state, as after the cell has changed."""
        self._due_estimate_s = now_s

    def clear(self) -> None:
        """Drop the messages that faults have held back."""
        for stream in self._streams.values():
            stream.clear()

    def publish(self, plant: Plant, trial: Trial) -> None:
        """Publish what is due; /clock is last, so that a node woken by it finds the state of that time."""
        now_s, messages = plant.time_s, self.messages
        faults = self._faults.active(now_s) if self._faults else []
        self._spoil_socket(any(fault.kind == "qos" for fault in faults))
        messages.set_time(plant.steps)
        messages.fill(plant)
        self._send("pose", messages.tool, faults, now_s)
        self._measured_joints.publish(messages.joints)
        self._send("wrench", messages.wrench, faults, now_s)
        if now_s >= self._due_robot_s:
            self._due_robot_s = _next_due(self._due_robot_s, self._robot_period_s, now_s)
            messages.fill_robot(plant, _mode(faults, plant))
            self._send("robot_state", messages.robot, faults, now_s)
        if trial.since_s != self._since_s:
            # What comes after a hand-over does not depend on how long it was waited for.
            self._since_s, self._due_estimate_s = trial.since_s, now_s
        if now_s >= self._due_estimate_s:
            self._due_estimate_s = _next_due(self._due_estimate_s, self._estimate_period_s, now_s)
            trial.observe_plug(plant.plug)
            messages.fill_socket(trial.estimate(now_s))
            self._send("socket_pose", messages.socket, faults, now_s)
        if now_s >= self._due_joints_s:
            self._due_joints_s = _next_due(self._due_joints_s, self._joints_period_s, now_s)
            self._joints.publish(messages.joints)
        if self._commanded.get_subscription_count():
            messages.fill_commanded(plant)
            self._commanded.publish(messages.commanded)
        self._clock.publish(messages.clock)

    def _send(self, stream: str, message: Any, faults: list[Fault], now_s: float) -> None:
        for changed in self._streams[stream].replace(message, faults, now_s):
            self._out[stream].publish(changed)

    def _spoil_socket(self, spoil: bool) -> None:
        """Publish the socket estimate with a mismatched quality of service, or with the right one again."""
        if spoil == self._socket_spoiled:
            return
        self._socket_spoiled = spoil
        self._node.destroy_publisher(self._out["socket_pose"])
        profile = qos.SENSOR if spoil else qos.topic_qos(self._socket_topic)
        self._out["socket_pose"] = self._node.create_publisher(PoseStamped, self._socket_topic.name, profile)


def _mode(faults: list[Fault], plant: Plant) -> int:
    for fault in faults:
        if fault.kind in _MODES:
            return int(_MODES[fault.kind])
    # A control loop runs as long as any controller commands torques.
    idle = plant.mode is Mode.IDLE
    return int(FrankaRobotState.ROBOT_MODE_IDLE if idle else FrankaRobotState.ROBOT_MODE_MOVE)


def _next_due(due_s: float, period_s: float, now_s: float) -> float:
    """Next multiple of the period after now, on the same grid, so that the mean rate is exact."""
    return due_s + period_s * (int((now_s - due_s) / period_s) + 1)
