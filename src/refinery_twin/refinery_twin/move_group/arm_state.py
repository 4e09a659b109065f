"""Where the arm is, as ``joint_states`` says, and how old that is."""

from __future__ import annotations

import time

import numpy as np
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import JointState

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_twin.move_group.waiting import Waiter
from refinery_twin.planning import ErrorCode, PlanningError

TOPIC = "joint_states"
"""Where move_group reads joints, MoveIt's own default."""
STALE_S = 1.0
"""No joint state for so long, by the clock on the wall, and requests are refused, [s]."""
_REST_RAD_S = 0.01
_REST_S = 1.0
_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


class ArmState:
    """The last joint state that names all seven joints.

    Args:
        node: Gets the subscription.
        profile: Names of the joints.
        waiter: For waiting.
        group: Of the subscription.
    """

    def __init__(self, node: Node, profile: RobotProfile, waiter: Waiter, group: CallbackGroup) -> None:
        self._names, self._waiter = profile.joint_names, waiter
        self._joints, self._speeds = np.zeros(7), np.zeros(7)
        self._count, self._heard_s = 0, -np.inf
        self.topic = node.resolve_topic_name(TOPIC)
        node.create_subscription(JointState, TOPIC, self._on_state, _NEWEST, callback_group=group)

    @property
    def age_s(self) -> float:
        """Time since the last state came, by the clock on the wall, [s]; infinite before the first."""
        return time.monotonic() - self._heard_s

    async def fresh(self) -> Array:
        """Wait for a state that comes after this call, as MoveIt does before it plans.

        Returns:
            Joints, shape (7,), [rad].

        Raises:
            PlanningError: ROBOT_STATE_STALE.
        """
        seen = self._count
        if not await self._waiter.until(lambda: self._count > seen, STALE_S):
            raise PlanningError(
                ErrorCode.ROBOT_STATE_STALE,
                f"no state of {', '.join(self._names)} on {self.topic} for {STALE_S:g} s; is the cell running?",
            )
        return self._joints.copy()

    async def recent(self) -> Array:
        """Return the joints (7,) [rad] of the last state; of a new one, as :meth:`fresh`, if that is too old."""
        return self._joints.copy() if self.age_s < STALE_S else await self.fresh()

    async def at_rest(self) -> Array:
        """Return joints (7,) [rad] after the arm has come to rest, as :meth:`fresh`; after a second in any case."""
        await self.fresh()
        await self._waiter.until(lambda: bool(np.abs(self._speeds).max() < _REST_RAD_S), _REST_S)
        return self._joints.copy()

    def _on_state(self, message: JointState) -> None:
        where = {name: index for index, name in enumerate(message.name)}
        if len(message.position) != len(message.name) or not all(name in where for name in self._names):
            return
        order = [where[name] for name in self._names]
        joints = np.array([message.position[index] for index in order])
        if not np.isfinite(joints).all():
            return
        moving = len(message.velocity) == len(message.name)
        self._speeds = np.array([message.velocity[index] for index in order]) if moving else np.zeros(7)
        self._joints = joints
        self._count += 1
        self._heard_s = time.monotonic()
