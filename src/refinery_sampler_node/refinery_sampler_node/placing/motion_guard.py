"""Checks while the arm moves whether the motion may go on: clock, joint states, time limit and MoveIt's server."""

from __future__ import annotations

import time

from refinery.errors import NotReadyError
from refinery.rotations import Array
from refinery_msgs.msg import Outcome
from refinery_ros.clock_watch import ClockWatch
from refinery_sampler_node.sampler_resources import SamplerResources

_LOST_TICKS = 3
"""A motion is stopped once joint states are too old in more ticks in a row than this."""


class PlacementEndedError(Exception):
    """A placement has ended before the arm arrived; carries the outcome and a sentence."""

    def __init__(self, outcome: int, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class MotionGuard:
    """Checks whether a motion may go on.

    Args:
        resources: Resources of the active node.
        end_s: End of the time limit, on the node's clock, [s].
        limit_s: The time limit of the goal, for the message, [s].
    """

    def __init__(self, resources: SamplerResources, end_s: float, limit_s: float) -> None:
        self._resources, self._end_s, self._limit_s = resources, end_s, limit_s
        self.restart()

    def restart(self) -> None:
        """Start afresh after a while without checks."""
        self._clock = ClockWatch(self._resources.parameters.state_max_age_s)
        self._lost, self._seen = 0, self._resources.arm.count

    def measure(self) -> tuple[float, Array, Array] | None:
        """Return time [s], joints [rad] and velocities [rad/s] of a new measurement; None if there is no new one.

        Raises:
            PlacementEndedError: The motion has to end.
            NotReadyError: Joint states are lost.
        """
        now_s, arm = self._resources.clock.now_s(), self._resources.arm
        if self._clock.look(now_s, time.monotonic()):
            raise PlacementEndedError(Outcome.STOPPED, self._clock.message)
        if not self._resources.moveit.executing_possible:
            name = self._resources.profile.moveit.execute_trajectory
            raise PlacementEndedError(
                Outcome.STOPPED, f"the action {name} went away while the arm was moving; is move_group still running?"
            )
        try:
            joints, velocities = arm.joints()
        except NotReadyError:
            self._lost += 1
            if self._lost > _LOST_TICKS:
                raise
            return None
        self._lost = 0
        if now_s > self._end_s:
            raise PlacementEndedError(Outcome.TIMED_OUT, f"not there after max_duration_s = {self._limit_s} s")
        # An old measurement compared with the present time would look like an arm that does not follow.
        if arm.count == self._seen:
            return None
        self._seen = arm.count
        return now_s, joints, velocities
