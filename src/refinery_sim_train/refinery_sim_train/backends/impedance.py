"""The impedance law at the tool for MuJoCo-Warp and what is built on it: one kernel before every physics step."""

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp

from refinery.rotations import Array


@wp.kernel
def _pull(
    target_pos: wp.array[wp.vec3],
    target_quat: wp.array[wp.quat],
    xpos: wp.array2d[wp.vec3],
    xmat: wp.array2d[wp.mat33],
    xipos: wp.array2d[wp.vec3],
    subtree_com: wp.array2d[wp.vec3],
    cvel: wp.array2d[wp.spatial_vector],
    body: int,
    root: int,
    body_from_tool: wp.vec3,
    stiffness: wp.spatial_vector,
    damping: wp.spatial_vector,
    wrench: wp.array2d[wp.spatial_vector],
) -> None:
    cell = wp.tid()
    rotation = xmat[cell, body]
    tool = xpos[cell, body] + rotation * body_from_tool
    error = wp.mul(target_quat[cell], wp.quat_inverse(wp.quat_from_matrix(rotation)))
    # Of the two quaternions of an orientation the one with the shorter way.
    if error[3] < 0.0:
        error = -error
    axis = wp.vec3(error[0], error[1], error[2])
    sine = wp.length(axis)
    turn = 2.0 * axis
    if sine > 1.0e-6:
        turn = axis * (2.0 * wp.atan2(sine, error[3]) / sine)
    # MuJoCo's spatial velocities have the angular part first, and are those of the tree's centre of mass.
    spin = wp.spatial_top(cvel[cell, body])
    velocity = wp.spatial_bottom(cvel[cell, body]) + wp.cross(spin, tool - subtree_com[cell, root])
    force = wp.cw_mul(wp.spatial_top(stiffness), target_pos[cell] - tool) - wp.cw_mul(wp.spatial_top(damping), velocity)
    torque = wp.cw_mul(wp.spatial_bottom(stiffness), turn) - wp.cw_mul(wp.spatial_bottom(damping), spin)
    # Applied wrenches have the force first, and act at the body's centre of mass.
    wrench[cell, body] = wp.spatial_vector(force, torque + wp.cross(tool - xipos[cell, body], force))


class Impedance:
    """Pulls the tools of a batch of cells to their targets; a control callback of MuJoCo-Warp.

    The wrench is ``K e - D v`` at the tool, base frame, with the way ``e`` from the tool to its target (for the
    orientation a rotation vector) and its velocity ``v``. It is explicit where MuJoCo's servos are part of the implicit
    integration, which the apparent inertia of the arm bears at this step.

    Args:
        count: Number of cells.
        body: The body that the tool is on, with its orientation.
        root: The root of that body's tree.
        body_from_tool_m: Where on it, [m].
        stiffness: Of the axes x, y, z [N/m] and of the turns about them [Nm/rad]; 0 leaves an axis to others.
        damping: Likewise, [N s/m] and [Nm s/rad].
    """

    def __init__(
        self, count: int, *, body: int, root: int, body_from_tool_m: Array, stiffness: Array, damping: Array
    ) -> None:
        self.target_pos = wp.zeros(count, dtype=wp.vec3)
        """Positions to pull to, base frame, [m]."""
        self.target_quat = wp.array(np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)), dtype=wp.quat)
        """Orientations to turn to, base frame, xyzw."""
        law = (wp.vec3(*body_from_tool_m.tolist()), *(wp.spatial_vector(*gains) for gains in (stiffness, damping)))
        self._law = (body, root, *law)

    def __call__(self, model: Any, data: Any) -> None:
        """Set the wrenches of the step that is being computed."""
        state = [data.xpos, data.xmat, data.xipos, data.subtree_com, data.cvel]
        inputs = [self.target_pos, self.target_quat, *state, *self._law]
        wp.launch(_pull, dim=data.nworld, inputs=inputs, outputs=[data.xfrc_applied])
