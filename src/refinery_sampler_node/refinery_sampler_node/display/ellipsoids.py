"""The mixture as ellipsoids of the plug tip's position, for display."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from refinery.mixture import Mixture
from refinery.rotations import Array, Poses

_MIN_HALF_AXIS_M = 5e-4
"""Half-axis displayed for a direction without variance, [m]."""


@dataclass(frozen=True, kw_only=True)
class Ellipsoid:
    """One component of the mixture, marginalised to the position of the plug's tip."""

    pose: Poses
    """Centre and axes in the base frame, batch of one."""
    half_axes_m: Array
    """Two standard deviations along the axes, shape (3,), [m]."""
    weight: float
    """Weight of the component."""


def position_ellipsoids(mixture: Mixture, socket: Poses) -> list[Ellipsoid]:
    """Return the 2-sigma ellipsoids of the plug tip's position.

    Args:
        mixture: Over initial states.
        socket: Socket estimate in the base frame, batch of one.

    Returns:
        One ellipsoid per component, heaviest first.
    """
    box = mixture.box
    columns = [i for i, dimension in enumerate(box.free) if dimension < 3]
    axes = box.free[columns]
    scale = (box.high - box.low)[axes]
    result = []
    for k in np.argsort(-mixture.weights):
        covariance = np.zeros((3, 3))
        covariance[np.ix_(axes, axes)] = mixture.covariances[k][np.ix_(columns, columns)] * np.outer(scale, scale)
        centre = box.from_unit(mixture.means[k : k + 1])[0, :3]
        variances, directions = np.linalg.eigh(covariance)
        directions[:, 2] *= np.sign(np.linalg.det(directions))
        local = Poses.single(centre, Rotation.from_matrix(directions).as_quat())
        half_axes = np.maximum(2 * np.sqrt(np.maximum(variances, 0.0)), _MIN_HALF_AXIS_M)
        result.append(Ellipsoid(pose=socket @ local, half_axes_m=half_axes, weight=float(mixture.weights[k])))
    return result
