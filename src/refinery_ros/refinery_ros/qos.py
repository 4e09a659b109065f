"""The quality-of-service profiles of the workspace, named by what they are for."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from refinery.robot_interface import TopicSpec

SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Newest measurement of the robot: franka's broadcasters publish best effort, which a reliable subscription would not
match."""
CLOCK = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
"""``/clock`` of a simulation."""
COMMAND = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)
"""Targets, stiffnesses and trajectories: only the newest counts, and it must arrive."""
STATUS = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""Status and markers: the last message is kept for late subscribers."""
DIAGNOSTICS = QoSProfile(depth=10)
"""``/diagnostics``."""
JOINT_STATES = QoSProfile(depth=10)
"""``joint_states``, which several publishers may share."""
SOCKET_ESTIMATES = QoSProfile(depth=10)
"""Socket estimates, where each of them counts."""
TRANSFORMS = QoSProfile(depth=100)
"""``/tf``."""
STATIC_TRANSFORMS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
"""``/tf_static``."""
RECORDING = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)
"""Every sample of a signal that is recorded or evaluated; none may be lost."""


def topic_qos(topic: TopicSpec) -> QoSProfile:
    """Return the profile that a robot profile gives for one of its topics."""
    return QoSProfile(depth=topic.depth, reliability=ReliabilityPolicy[topic.reliability.upper()])
