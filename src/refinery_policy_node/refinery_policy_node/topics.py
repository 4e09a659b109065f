"""The node's robot interface: the newest message of every input, and the commands."""

from __future__ import annotations

import time
from typing import Any

from geometry_msgs.msg import PoseStamped, WrenchStamped
from rclpy.lifecycle import LifecycleNode, LifecyclePublisher
from std_msgs.msg import Float64MultiArray

from refinery.calibration import Correction
from refinery.robot_interface import TopicSpec
from refinery.robot_profile import RobotProfile
from refinery.tick.pose import Pose
from refinery.tick.samples import Inputs, PoseSample
from refinery_policy_node.messages import TargetMessage, pose_sample, wrench_sample
from refinery_policy_node.robot_state import RobotState, message_type
from refinery_ros.polled_clock import PolledClock
from refinery_ros.polled_subscription import PolledSubscription
from refinery_ros.qos import topic_qos

_CLOCK_LAG_S = 0.02
"""A sample that is further ahead of a simulated clock waits for the clock, [s]: beyond this the guard would stop."""
_CLOCK_WAIT_S = 0.05
"""Longest such wait, wall clock, [s]."""
_CLOCK_POLL_S = 0.0005


class RobotTopics:
    """All topics that the node reads from and writes to the robot and the camera.

    Args:
        node: The node.
        profile: Names of topics and frames.
        shadow: Dry run: targets go to ``~/shadow_target``, stiffnesses are not published.

    Raises:
        ConfigError: The message type of the robot's state is not installed.
    """

    def __init__(self, node: LifecycleNode, profile: RobotProfile, *, shadow: bool = False) -> None:
        self._node = node
        self.shadow = shadow
        """Whether this is a dry run."""
        self.base_frame = profile.base_frame
        self.correction: Correction | None = None
        """Applied to every socket estimate."""

        topics = profile.topics

        def subscription(topic: TopicSpec, kind: type[Any], source: str, *, raw: bool = False) -> PolledSubscription:
            return PolledSubscription(node, topic.name, kind, topic_qos(topic), source, raw=raw)

        def publisher(topic: TopicSpec, kind: type[Any]) -> LifecyclePublisher:
            return node.create_lifecycle_publisher(kind, topic.name, topic_qos(topic))

        self._clock = PolledClock(node, simulated=profile.use_sim_time)
        self._pose = subscription(topics.pose, PoseStamped, "broadcaster")
        self._wrench = subscription(topics.wrench, WrenchStamped, "broadcaster")
        self._socket = subscription(topics.socket_pose, PoseStamped, "socket estimator")
        state = topics.robot_state
        self._robot = subscription(state, message_type(state.type), "robot state broadcaster", raw=True)
        self._robot_state = RobotState(node, self._robot, self.now_s)
        self._message = TargetMessage(profile.base_frame)
        target = node.create_lifecycle_publisher(PoseStamped, "~/shadow_target", 1) if shadow else None
        self._target = target or publisher(topics.target_pose, PoseStamped)
        self._stiffness = None if shadow else publisher(topics.target_stiffness, Float64MultiArray)

    @property
    def inputs_read(self) -> tuple[PolledSubscription, ...]:
        """All inputs, the simulated clock first if there is one."""
        clock = () if self._clock.subscription is None else (self._clock.subscription,)
        return (*clock, self._pose, self._wrench, self._robot, self._socket)

    @property
    def target_topic(self) -> str:
        """Fully qualified name of the topic the node commands the arm on."""
        name: str = self._target.topic_name
        return name

    def missing(self) -> list[str]:
        """Name the inputs that never had a message."""
        return [topic.name for topic in self.inputs_read if topic.poll() is None]

    def inputs(self) -> Inputs | None:
        """Return the newest samples with the present time, or None if some message never came."""
        pose, wrench, socket = self._pose.poll(), self._wrench.poll(), self._socket.poll()
        robot = self._robot_state.sample(self.now_s())
        if pose is None or wrench is None or socket is None or robot is None:
            return None
        measured, estimate, force = pose_sample(pose), self._corrected(pose_sample(socket)), wrench_sample(wrench)
        return Inputs(
            measured=measured,
            estimate=estimate,
            wrench=force,
            robot=robot,
            now_s=self._now_after(max(measured.stamp_s, estimate.stamp_s, force.stamp_s, robot.stamp_s)),
            wrong_frame=self._wrong_frame(pose, wrench, socket),
        )

    def _corrected(self, estimate: PoseSample) -> PoseSample:
        if self.correction is None:
            return estimate
        pos_m = self.correction.apply_to(estimate.pos_m)
        return PoseSample(pos_m=pos_m, quat_xyzw=estimate.quat_xyzw, stamp_s=estimate.stamp_s)

    def _now_after(self, newest_s: float) -> float:
        """Return the node's clock, read after the samples, so that none is newer by more than a simulation's step.

        A simulated clock is a message like the samples, and on a busy computer it may arrive a little after them.
        """
        now_s = self.now_s()
        if self._clock.subscription is None or newest_s <= now_s + _CLOCK_LAG_S:
            return now_s
        end_s = time.monotonic() + _CLOCK_WAIT_S
        while newest_s > now_s + _CLOCK_LAG_S and time.monotonic() < end_s:
            time.sleep(_CLOCK_POLL_S)
            now_s = self.now_s()
        return now_s

    def read_ahead(self, on: bool) -> None:
        """Start or stop to read the robot's state between the ticks; otherwise :meth:`inputs` reads it."""
        self._robot_state.read_ahead(on)

    def now_s(self) -> float:
        """Return the node's clock, [s], see :class:`PolledClock`."""
        return self._clock.now_s()

    def _wrong_frame(self, pose: Any, wrench: Any, socket: Any) -> str:
        """Return which message is not in the base frame; an empty string if all are, as :class:`Inputs` has it."""
        for topic, message in ((self._pose, pose), (self._wrench, wrench), (self._socket, socket)):
            frame = message.header.frame_id
            if frame != self.base_frame:
                return f"{topic.name}: expected the frame {self.base_frame!r}, got {frame!r}"
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
        for topic in self.inputs_read:
            topic.destroy()
        self._node.destroy_lifecycle_publisher(self._target)
        if self._stiffness is not None:
            self._node.destroy_lifecycle_publisher(self._stiffness)
