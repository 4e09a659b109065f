"""How long an environment waits for its simulator, for rates that name what they are limited by."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array, Poses
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.physics import Physics

Args = ParamSpec("Args")
Result = TypeVar("Result")


class TimedPhysics:
    """A simulator that adds up the wall time spent in it; copies between host and device count as its own.

    Args:
        physics: The simulator.
    """

    def __init__(self, physics: Physics) -> None:
        self._physics = physics
        self.count, self.simulator = physics.count, physics.simulator
        self.spent_s = 0.0
        """Wall time so far, [s]."""
        self.steps = 0
        """Policy periods so far, of all cells at once."""

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state."""
        self._timed(self._physics.impose, rows, joints_rad, socket, hand_from_plug, friction)

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to."""
        self._timed(self._physics.command, target, rows)

    def step(self) -> None:
        """Advance all cells by one policy period; on a GPU, start to."""
        self._timed(self._physics.step)
        self.steps += 1

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]; on a GPU, wait for the step first."""
        return self._timed(self._physics.joints_rad)

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm]."""
        return self._timed(self._physics.contact_torque_nm)

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied."""
        return self._timed(self._physics.snapshot)

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot."""
        self._timed(self._physics.restore, arrays)

    def _timed(self, call: Callable[Args, Result], *args: Args.args, **options: Args.kwargs) -> Result:
        began = time.perf_counter()
        try:
            return call(*args, **options)
        finally:
            self.spent_s += time.perf_counter() - began
