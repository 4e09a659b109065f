"""The node's end of the robot interface: the newest message of every input, and the target out."""

from __future__ import annotations

import time
from typing import Any

from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float64MultiArray

from refinery.robot_interface import TopicSpec
from refinery.robot_profile import RobotProfile
from refinery.tick.pose import Pose
from refinery.tick.samples import Inputs
from refinery_policy_node.messages import TargetMessage, pose_sample, seconds, wrench_sample
from refinery_policy_node.robot_state import RobotState, message_type
from refinery_ros.polled_subscription import Latest

_CLOCK = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_CLOCK_LAG_S = 0.02
"""A sample that is further ahead of a simulated clock waits for the clock, [s]: beyond this the guard would stop."""
_CLOCK_PATIENCE_S = 0.05
"""For at most this long, wall clock, [s]."""
_CLOCK_POLL_S = 0.0005
_RELIABILITY = {"best_effort": ReliabilityPolicy.BEST_EFFORT, "reliable": ReliabilityPolicy.RELIABLE}


def _qos(topic: TopicSpec) -> QoSProfile:
    return QoSProfile(depth=topic.depth, reliability=_RELIABILITY[topic.reliability])


class RobotTopics:
    """Everything the node reads from and writes to the robot and the camera.

    Args:
        node: The node.
        profile: Names of topics and frames.
        shadow: Command nothing: targets go to ``~/shadow_target``, stiffnesses nowhere.

    Raises:
        ConfigError: The type of the robot's state is not known on this machine.
    """

    def __init__(self, node: LifecycleNode, profile: RobotProfile, *, shadow: bool = False) -> None:
        self._node = node
        self.shadow = shadow
        """Whether nothing is commanded."""
        self.base_frame = profile.base_frame

        topics = profile.topics

        def latest(topic: TopicSpec, kind: type[Any], source: str) -> Latest:
            return Latest(node, topic.name, kind, _qos(topic), source)

        def publisher(topic: TopicSpec, kind: type[Any]) -> LifecyclePublisher:
            return node.create_lifecycle_publisher(kind, topic.name, _qos(topic))

        self._clock = Latest(node, "/clock", Clock, _CLOCK, "simulation") if profile.use_sim_time else None
        self._pose = latest(topics.pose, PoseStamped, "broadcaster")
        self._wrench = latest(topics.wrench, WrenchStamped, "broadcaster")
        self._socket = latest(topics.socket_pose, PoseStamped, "socket estimator")
        state = topics.robot_state
        self._robot = latest(state, message_type(state.type), "robot state broadcaster")
        self._robot_state = RobotState(node, self._robot, self.now_s)
        self._message = TargetMessage(profile.base_frame)
        target = node.create_lifecycle_publisher(PoseStamped, "~/shadow_target", 1) if shadow else None
        self._target = target or publisher(topics.target_pose, PoseStamped)
        self._stiffness = None if shadow else publisher(topics.target_stiffness, Float64MultiArray)

    @property
    def inputs_read(self) -> tuple[Latest, ...]:
        """All inputs, the simulated clock first if there is one."""
        clock = () if self._clock is None else (self._clock,)
        return (*clock, self._pose, self._wrench, self._robot, self._socket)

    @property
    def target_topic(self) -> str:
        """Fully qualified name of the topic the node commands the arm on."""
        name: str = self._target.topic_name
        return name

    def missing(self) -> list[str]:
        """Name the inputs that never had a message."""
        return [latest.name for latest in self.inputs_read if latest.poll() is None]

    def inputs(self) -> Inputs | None:
        """Return the newest samples with the present time, or None if some message never came."""
        pose, wrench, socket = self._pose.poll(), self._wrench.poll(), self._socket.poll()
        robot = self._robot_state.sample(self.now_s())
        if pose is None or wrench is None or socket is None or robot is None:
            return None
        measured, estimate, force = pose_sample(pose), pose_sample(socket), wrench_sample(wrench)
        return Inputs(
            measured=measured,
            estimate=estimate,
            wrench=force,
            robot=robot,
            now_s=self._now_after(max(measured.stamp_s, estimate.stamp_s, force.stamp_s, robot.stamp_s)),
            wrong_frame=self._wrong_frame(pose, wrench, socket),
        )

    def _now_after(self, newest_s: float) -> float:
        """Return the node's clock, read after the samples, so that none can be newer by more than a simulation's step.

        A simulated clock is a message as they are, and on a busy computer it may arrive a little after them.
        """
        now_s = self.now_s()
        if self._clock is None or newest_s <= now_s + _CLOCK_LAG_S:
            return now_s
        end_s = time.monotonic() + _CLOCK_PATIENCE_S
        while newest_s > now_s + _CLOCK_LAG_S and time.monotonic() < end_s:
            time.sleep(_CLOCK_POLL_S)
            now_s = self.now_s()
        return now_s

    def read_ahead(self, on: bool) -> None:
        """Begin or end to read the robot's state between the ticks; otherwise :meth:`inputs` reads it."""
        self._robot_state.read_ahead(on)

    def now_s(self) -> float:
        """Return the node's clock, [s]; a simulated one as it is now, not as it was when the executor last looked."""
        now_s = float(self._node.get_clock().now().nanoseconds) * 1e-9
        message = None if self._clock is None else self._clock.poll()
        return now_s if message is None else max(now_s, seconds(message.clock))

    def _wrong_frame(self, pose: Any, wrench: Any, socket: Any) -> str:
        """Tell which message is not in the base frame, or return an empty string."""
        for latest, message in ((self._pose, pose), (self._wrench, wrench), (self._socket, socket)):
            frame = message.header.frame_id
            if frame != self.base_frame:
                return f"{latest.name}: expected the frame {self.base_frame!r}, got {frame!r}"
        return ""

    def publish_target(self, target: Pose) -> None:
        """Command a pose of the tool in the base frame."""
        self._target.publish(self._message.filled(target, self._node.get_clock().now().nanoseconds))

    def publish_stiffness(self, stiffness: tuple[float, ...]) -> None:
        """Set the stiffness of the impedance controller, three [N/m] and three [Nm/rad]."""
        if self._stiffness is not None:
            self._stiffness.publish(Float64MultiArray(data=list(stiffness)))

    def destroy(self) -> None:
        """End all connections."""
        self._robot_state.destroy()
        for latest in self.inputs_read:
            latest.destroy()
        self._node.destroy_lifecycle_publisher(self._target)
        if self._stiffness is not None:
            self._node.destroy_lifecycle_publisher(self._stiffness)
