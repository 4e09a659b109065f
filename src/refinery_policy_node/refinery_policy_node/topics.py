"""The node's end of the robot interface: the newest message of every input, and the target out."""

from __future__ import annotations

from typing import Any

from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Float64MultiArray

from refinery.robot_interface import TopicSpec
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery_policy_node.latest import Latest
from refinery_policy_node.messages import pose_message, pose_sample, seconds, wrench_sample
from refinery_policy_node.robot_state import message_type, robot_sample
from refinery_policy_node.samples import Inputs, RobotSample

_CLOCK = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
ROBOT_STATE_EVERY_S = 0.02
"""The robot's mode and errors are read at most this often, [s]."""
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
        self._robot_sample: RobotSample | None = None
        self._robot_read_s = 0.0
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
        if pose is None or wrench is None or socket is None or self._robot_now() is None:
            return None
        # The clock is read last: no sample can then be newer than it by more than one step of a simulation.
        return Inputs(
            measured=pose_sample(pose),
            estimate=pose_sample(socket),
            wrench=wrench_sample(wrench),
            robot=self._robot_now(),
            now_s=self.now_s(),
        )

    def _robot_now(self) -> RobotSample | None:
        """Return the robot's state, read again when it is due: its message is large, its mode changes seldom."""
        now = self.now_s()
        if self._robot_sample is None or not 0 <= now - self._robot_read_s < ROBOT_STATE_EVERY_S:
            message = self._robot.poll()
            if message is not None:
                self._robot_sample, self._robot_read_s = robot_sample(message), now
        return self._robot_sample

    def now_s(self) -> float:
        """Return the node's clock, [s]; a simulated one as it is now, not as it was when the executor last looked."""
        now_s = float(self._node.get_clock().now().nanoseconds) * 1e-9
        message = None if self._clock is None else self._clock.poll()
        return now_s if message is None else max(now_s, seconds(message.clock))

    def wrong_frame(self) -> str:
        """Tell which input is not in the base frame, or return an empty string."""
        for latest in (self._pose, self._socket, self._wrench):
            message = latest.poll()
            frame = self.base_frame if message is None else message.header.frame_id
            if frame != self.base_frame:
                return f"{latest.name}: expected the frame {self.base_frame!r}, got {frame!r}"
        return ""

    def publish_target(self, target: Poses) -> None:
        """Command a pose of the tool in the base frame."""
        self._target.publish(pose_message(target, self.base_frame, self._node.get_clock().now().to_msg()))

    def publish_stiffness(self, stiffness: tuple[float, ...]) -> None:
        """Set the stiffness of the impedance controller, three [N/m] and three [Nm/rad]."""
        if self._stiffness is not None:
            self._stiffness.publish(Float64MultiArray(data=list(stiffness)))

    def destroy(self) -> None:
        """End all connections."""
        for latest in self.inputs_read:
            latest.destroy()
        self._node.destroy_lifecycle_publisher(self._target)
        if self._stiffness is not None:
            self._node.destroy_lifecycle_publisher(self._stiffness)
