"""Timing of a path: as fast as the limits of joints and tool allow, from rest to rest, with continuous acceleration.

The library's TOPP-RA gives the fastest motion, whose acceleration jumps from limit to limit. Its samples become the
control points of a uniform cubic B-spline: velocities and accelerations of that curve are averages of the motion's own,
so that it keeps to the limits by itself, and it starts and ends at rest without acceleration. What numerical error is
left shows in the exact peaks of the curve; the whole is stretched by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import roboplan.core as roboplan
from roboplan.toppra import PathParameterizerTOPPRA, SplineFittingMode, TOPPRAOptions

from refinery.kinematics import ArmKinematics
from refinery.rotations import Array
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning.arm_model import GROUP, ArmModel
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.requests import TimedPath

SAMPLE_S = 0.01
"""Time between points, before any stretching, [s]."""
_BLEND_RAD = 0.05
"""Largest rounding of a path's corners, a distance in joint space, [rad]."""
_SAME_RAD = 1e-9


@dataclass(frozen=True, kw_only=True)
class MotionLimits:
    """Limits of a motion."""

    velocity_scaling: float
    """Share of the arm's velocity limits, (0, 1]."""
    acceleration_scaling: float
    """Share of the arm's acceleration limits, (0, 1]."""
    tool_speed_m_s: float
    """Speed limit of the tool, [m/s]."""


class Timer:
    """Times paths of one arm.

    Args:
        model: The arm.
        kinematics: The same arm's, for the speed of its tool.
    """

    def __init__(self, model: ArmModel, kinematics: ArmKinematics) -> None:
        self._model, self._kinematics = model, kinematics
        self._toppra = PathParameterizerTOPPRA(model.bare, GROUP)
        limits = model.profile.limits
        self._velocity, self._acceleration = np.array(limits.velocity_rad_s), np.array(limits.acceleration_rad_s2)

    def time(self, corners_rad: Array, limits: MotionLimits, *, stop_at_corners: bool = False) -> TimedPath:
        """Time a path.

        Args:
            corners_rad: Corners of the path, shape (K, 7), K >= 1, [rad].
            limits: To keep to.
            stop_at_corners: Follow the path exactly and stop at every corner, instead of rounding them off.

        Returns:
            The trajectory, from the first corner exactly to the last.

        Raises:
            PlanningError: PLANNING_FAILED: the library found no timing.
        """
        corners = corners_rad[np.append(True, np.abs(np.diff(corners_rad, axis=0)).max(axis=1) > _SAME_RAD)]
        samples = corners if len(corners) == 1 else self._fastest(corners, limits, stop_at_corners)
        samples[-1] = corners_rad[-1]
        path = _smooth(samples, self._model.profile.joint_names)
        return _stretched(path, self._excess(path, limits))

    def _fastest(self, corners: Array, limits: MotionLimits, stop_at_corners: bool) -> Array:
        """Sample the fastest motion every :data:`SAMPLE_S`, at rest from the last sample on."""
        path = roboplan.JointPath()
        path.joint_names, path.positions = list(self._model.profile.joint_names), list(corners)
        options = TOPPRAOptions(
            dt=SAMPLE_S,
            mode=SplineFittingMode.Hermite if stop_at_corners else SplineFittingMode.LinearBlend,
            velocity_scale=limits.velocity_scaling,
            acceleration_scale=limits.acceleration_scaling,
            max_blend_deviation=_BLEND_RAD,
        )
        try:
            motion = self._toppra.generate(path, options)
        except RuntimeError as error:
            raise PlanningError(
                MoveItErrorCode.PLANNING_FAILED, f"the path found could not be timed: {error}"
            ) from None
        return np.array(motion.positions)

    def _excess(self, path: TimedPath, limits: MotionLimits) -> float:
        """Return the factor by which a trajectory is too fast; below 1 if it is not."""
        curve = path.curve
        steps = np.diff(curve.x)[:, None]
        cubic, square, slope = curve.c[0], curve.c[1], curve.c[2]
        # Acceleration is linear in every piece and peaks at an end; velocity peaks at an end or at its vertex.
        with np.errstate(divide="ignore", invalid="ignore"):
            vertex = np.nan_to_num(-square / (3 * cubic), nan=0.0, posinf=0.0, neginf=0.0)
        at = [slope + 2 * square * t + 3 * cubic * t**2 for t in (0 * steps, np.clip(vertex, 0, steps), steps)]
        velocity = np.abs(at).max(axis=(0, 1)) / (self._velocity * limits.velocity_scaling)
        acceleration = np.abs([2 * square, 2 * square + 6 * cubic * steps]).max(axis=(0, 1))
        acceleration /= self._acceleration * limits.acceleration_scaling
        twist = self._kinematics.jacobian(path.positions_rad) @ path.velocities_rad_s[:, :, None]
        speed = np.linalg.norm(twist[:, :3, 0], axis=1).max() / limits.tool_speed_m_s
        return float(max(velocity.max(), np.sqrt(acceleration.max()), speed))


def _smooth(samples: Array, joint_names: tuple[str, ...]) -> TimedPath:
    """Return the B-spline of samples in front of and behind which the arm rests."""
    rest = np.ones((2, 1))
    points = np.vstack([rest * samples[0], samples, rest * samples[-1]])
    before, here, after = points[:-2], points[1:-1], points[2:]
    return TimedPath(
        joint_names=joint_names,
        times_s=SAMPLE_S * np.arange(len(here), dtype=np.float64),
        positions_rad=(before + 4 * here + after) / 6,
        velocities_rad_s=(after - before) / (2 * SAMPLE_S),
        accelerations_rad_s2=(before - 2 * here + after) / SAMPLE_S**2,
    )


def _stretched(path: TimedPath, factor: float) -> TimedPath:
    """Return the same path, slower by a factor if that is above 1."""
    if factor <= 1.0:
        return path
    slower = factor * (1 + 1e-9)
    return TimedPath(
        joint_names=path.joint_names,
        times_s=path.times_s * slower,
        positions_rad=path.positions_rad,
        velocities_rad_s=path.velocities_rad_s / slower,
        accelerations_rad_s2=path.accelerations_rad_s2 / slower**2,
    )
