"""What two flat pads do to a part between them: they centre it along y and align roll and yaw; x, z, pitch stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from refinery.rotations import Array, Poses, angle_between_rad
from refinery.task import PlugSpec
from refinery_sim.section import section_shape, symmetry

PAD_HALF_M = (0.009, 0.0089)
"""Half the width of a pad along x of the tool, and its reach beyond the tool point, [m]."""
MAX_WIDTH_M = 0.08
"""Largest opening of the jaws, [m]."""
PAD_FRICTION = 0.4
"""Friction coefficient between pad and part: two pads carry twice this times the grasping force along their faces."""
MAX_FORCE_N = 70.0
"""Largest continuous force of the jaws, [N]."""
MAX_TURN_RAD = 0.35
"""A part that is turned further than this from how it is held, the ways round that look the same counted, is not taken,
[rad]: the pads would not turn it flat against them."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GraspResult:
    """How closing the jaws ended."""

    success: bool
    """Whether a part is held: its width is within the tolerance."""
    width_m: float
    """Distance of the pads now, [m]."""
    part: str | None = None
    """Part between the pads, held or not; None is nothing."""
    grasp: Array | None = None
    """How a held part sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Fit:
    """A part between the pads."""

    grasp: Array
    """Its grasp after the pads have closed, shape (1, 3)."""
    tool_from_part: Poses
    """Its tip frame in the tool frame then, batch of one."""
    distance_m: float
    """Distance of the tool from where the part is held as intended, before, [m]."""


def fit_between_pads(plug: PlugSpec, tool_from_part: Poses, opening_m: float) -> Fit | None:
    """Tell how a part would be held by closing the jaws.

    Args:
        plug: Its shape and intended grasp.
        tool_from_part: Its tip frame in the tool frame, batch of one.
        opening_m: Distance of the pads before, [m].

    Returns:
        The fit; None if the part is not between the pads, or too far turned.
    """
    turns = symmetry(plug.section) or 1
    yaws = 2 * np.pi * np.arange(turns) / turns
    ways = Poses.from_xyz_rpy(np.zeros((turns, 3)), np.column_stack([np.zeros((turns, 2)), yaws]))
    aligned = tool_from_part @ ways
    away = angle_between_rad(aligned.quat_xyzw, plug.tool_from_plug.quat_xyzw)
    way = int(np.argmin(away))
    if away[way] > MAX_TURN_RAD:
        return None
    shift = aligned[way : way + 1] @ plug.tool_from_plug.inverse()
    (x, y, z), pitch = shift.pos_m[0], shift.rpy_rad()[0, 1]
    grasp = np.array([[x, z, pitch]])
    low_x, _, high_x, _ = section_shape(plug.section).bounds
    height = plug.grasp_xyz_m[2] - z
    reached = (
        low_x - PAD_HALF_M[0] < x < high_x + PAD_HALF_M[0] and -PAD_HALF_M[1] < height < plug.length_m + PAD_HALF_M[1]
    )
    if not reached or abs(y) > (opening_m - width_between_pads_m(plug)) / 2 + 1e-9:
        return None
    held = plug.tool_from_plug_at(grasp) @ ways[way : way + 1].inverse()
    return Fit(grasp=grasp, tool_from_part=held, distance_m=float(np.linalg.norm([x, y, z])))


def width_between_pads_m(plug: PlugSpec) -> float:
    """Return a part's extent between the pads, [m]: along y, over the width of the pads."""
    pads = shapely.box(-PAD_HALF_M[0], -1.0, PAD_HALF_M[0], 1.0)
    _, low, _, high = section_shape(plug.section).intersection(pads).bounds
    return float(high - low)
