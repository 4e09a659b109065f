"""Inverse kinematics with the library's solver, started from a seed and then from random joints."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import roboplan.core as roboplan
from roboplan.simple_ik import SimpleIk, SimpleIkOptions

from refinery.rotations import Array, Poses
from refinery_twin.planning.arm_model import GROUP, ArmModel, matrix_of
from refinery_twin.planning.clock import Deadline


class InverseKinematics:
    """Solves for the joints of one arm.

    Args:
        model: The arm.
    """

    def __init__(self, model: ArmModel) -> None:
        self._model = model
        # Full Newton steps for a goal near the solver's start, half steps for a distant one.
        self._near = _solver(model, step=1.0, iterations=100, error=1e-7)
        self._far = _solver(model, step=0.5, iterations=200, error=1e-5)

    def solutions(
        self, pose: Poses, link: str, seed_rad: Array, attempts: int, rng: np.random.Generator, deadline: Deadline
    ) -> Iterator[Array]:
        """Yield joints (7,) [rad] inside the limits that put a link at a pose; the first from the seed, if any.

        Args:
            pose: Pose of the link in the base frame, batch of one.
            link: Moves with the last joint.
            seed_rad: First start, shape (7,), [rad].
            attempts: Number of starts.
            rng: Draws the other starts.
            deadline: No start after it.
        """
        target = self._target(pose, link)
        for attempt in range(attempts):
            if attempt and deadline.passed:
                return
            start = rng.uniform(self._model.low_rad, self._model.high_rad) if attempt else seed_rad
            found = self._solve(self._far, target, start)
            if found is not None:
                yield found

    def follow(self, pose: Poses, link: str, from_rad: Array) -> Array | None:
        """Return the joints (7,) [rad] for a pose near the present one, or None."""
        return self._solve(self._near, self._target(pose, link), from_rad)

    def _target(self, pose: Poses, link: str) -> roboplan.CartesianConfiguration:
        return roboplan.CartesianConfiguration(self._model.profile.frames.base, link, matrix_of(pose))

    def _solve(self, solver: SimpleIk, target: roboplan.CartesianConfiguration, start_rad: Array) -> Array | None:
        found = self._model.configuration(start_rad)
        if not solver.solveIk(target, self._model.configuration(start_rad), found):
            return None
        joints = np.array(found.positions)
        inside = np.all((joints >= self._model.low_rad) & (joints <= self._model.high_rad))
        return joints if inside else None


def _solver(model: ArmModel, *, step: float, iterations: int, error: float) -> SimpleIk:
    # Limited by iterations rather than time, so that a request has the same result on a busy machine.
    options = SimpleIkOptions(
        GROUP,
        max_iters=iterations,
        max_time=10.0,
        max_restarts=0,
        step_size=step,
        max_linear_error_norm=error,
        max_angular_error_norm=error,
        check_collisions=False,
    )
    return SimpleIk(model.bare, options)
