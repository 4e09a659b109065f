"""Whether a motion can go on: clock, joint states, time limit and the server that executes it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from refinery.errors import NotReadyError
from refinery_msgs.msg import Outcome
from refinery_ros.clock_watch import ClockWatch
from refinery_sampler_node.station import Station

Array = NDArray[np.float64]

_LOST_TICKS = 3
"""Joint states too old at this many ticks in a row, and once more, stop a motion."""


class EndedError(Exception):
    """A placement is over before the arm arrived; carries the outcome and a sentence."""

    def __init__(self, outcome: int, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class MotionGuard:
    """Looks whether a motion can go on: clock, joint states, time limit, server.

    Args:
        station: Of the active node.
        now_s: Returns the time of the ROS clock, [s].
        end_s: When the time is over, by that clock, [s].
        limit_s: What the goal said, for the message, [s].
    """

    def __init__(self, station: Station, now_s: Callable[[], float], end_s: float, limit_s: float) -> None:
        self._station, self._now_s, self._end_s, self._limit_s = station, now_s, end_s, limit_s
        self.renew()

    def renew(self) -> None:
        """Begin anew after a while in which nobody looked."""
        self._clock = ClockWatch(self._station.parameters.state_max_age_s)
        self._lost, self._seen = 0, self._station.arm.count

    def look(self) -> tuple[float, Array, Array] | None:
        """Return time [s], joints [rad] and velocities [rad/s] of a new measurement; none if there is no new one.

        Raises:
            EndedError: The motion has to end.
            NotReadyError: Joint states are lost.
        """
        now_s, arm = self._now_s(), self._station.arm
        if self._clock.look(now_s, time.monotonic()):
            raise EndedError(Outcome.STOPPED, self._clock.message)
        if not self._station.moveit.executing_possible:
            name = self._station.profile.moveit.execute_trajectory
            raise EndedError(
                Outcome.STOPPED, f"the action {name} went away while the arm was moving; is move_group still running?"
            )
        try:
            joints, velocities = arm.joints()
        except NotReadyError:
            # A long request may have kept this process busy: fresh states are taken in before the next ticks.
            self._lost += 1
            if self._lost > _LOST_TICKS:
                raise
            return None
        self._lost = 0
        if now_s > self._end_s:
            raise EndedError(Outcome.TIMED_OUT, f"not there after max_duration_s = {self._limit_s} s")
        # An old measurement against the present time would look like an arm that does not follow.
        if arm.count == self._seen:
            return None
        self._seen = arm.count
        return now_s, joints, velocities
