"""The joints of the arm from ``joint_states``, and their age."""

from __future__ import annotations

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_ros import qos
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_ros.polled_subscription import PolledSubscription
from refinery_twin.move_group.waiting import Waiter
from refinery_twin.planning import PlanningError

TOPIC = "joint_states"
"""Topic of the joint states, MoveIt's own default."""
STALE_S = 1.0
"""Requests are refused if the newest joint state is older than this, wall clock, [s]."""
_REST_RAD_S = 0.01
_REST_S = 1.0


class ArmState:
    """The last joint state with finite positions of all seven joints.

    Args:
        node: Gets the subscription.
        profile: Names of the joints.
        waiter: For waiting.
    """

    def __init__(self, node: Node, profile: RobotProfile, waiter: Waiter) -> None:
        self._names, self._waiter = profile.joint_names, waiter
        self._states = PolledSubscription(node, TOPIC, JointState, qos.JOINT_STATES, "cell", self._is_complete)
        self.topic = self._states.name

    @property
    def age_s(self) -> float:
        """Time since the last state arrived, wall clock, [s]; infinite before the first."""
        return self._states.age_s

    async def fresh(self) -> Array:
        """Wait for a state that arrives after this call, as MoveIt does before it plans.

        Returns:
            Joints, shape (7,), [rad].

        Raises:
            PlanningError: ROBOT_STATE_STALE.
        """
        seen = self._count()
        if not await self._waiter.until(lambda: self._count() > seen, STALE_S):
            raise PlanningError(
                MoveItErrorCode.ROBOT_STATE_STALE,
                f"no state of {', '.join(self._names)} on {self.topic} for {STALE_S:g} s; is the cell running?",
            )
        return self._joints_rad()

    async def recent(self) -> Array:
        """Return the joints (7,) [rad] of the last state; of a new one, as :meth:`fresh`, if that is too old."""
        return self._joints_rad() if self.age_s < STALE_S else await self.fresh()

    async def at_rest(self) -> Array:
        """Return joints (7,) [rad] after the arm has come to rest, as :meth:`fresh`; after a second in any case."""
        await self.fresh()
        await self._waiter.until(lambda: bool(np.abs(self._speeds_rad_s()).max() < _REST_RAD_S), _REST_S)
        return self._joints_rad()

    def _is_complete(self, message: JointState) -> bool:
        angles = dict(zip(message.name, message.position, strict=False))
        complete = len(message.position) == len(message.name) and all(name in angles for name in self._names)
        return complete and bool(np.isfinite([angles[name] for name in self._names]).all())

    def _count(self) -> int:
        self._states.poll()
        return self._states.received

    def _joints_rad(self) -> Array:
        message = self._states.poll()
        return np.array([message.position[message.name.index(name)] for name in self._names])

    def _speeds_rad_s(self) -> Array:
        message = self._states.poll()
        if len(message.velocity) != len(message.name):
            return np.zeros(len(self._names))
        return np.array([message.velocity[message.name.index(name)] for name in self._names])
