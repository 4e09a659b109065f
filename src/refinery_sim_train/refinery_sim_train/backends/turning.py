"""The impedance law's torque for MuJoCo-Warp, which has no SO(3) servo: one kernel before every physics step."""

from __future__ import annotations

import mujoco_warp as mjw
import warp as wp


@wp.kernel
def _turn(
    target: wp.array[wp.quat],
    site_xmat: wp.array2d[wp.mat33],
    cvel: wp.array2d[wp.spatial_vector],
    site: int,
    body: int,
    stiffness: float,
    damping: float,
    wrench: wp.array2d[wp.spatial_vector],
) -> None:
    cell = wp.tid()
    error = wp.mul(target[cell], wp.quat_inverse(wp.quat_from_matrix(site_xmat[cell, site])))
    # Of the two quaternions of an orientation the one with the shorter way.
    if error[3] < 0.0:
        error = -error
    axis = wp.vec3(error[0], error[1], error[2])
    sine = wp.length(axis)
    turn = 2.0 * axis
    if sine > 1.0e-6:
        turn = axis * (2.0 * wp.atan2(sine, error[3]) / sine)
    # MuJoCo's spatial velocities have the angular part first, its applied wrenches the force.
    torque = stiffness * turn - damping * wp.spatial_top(cvel[cell, body])
    wrench[cell, body] = wp.spatial_vector(wp.vec3(0.0, 0.0, 0.0), torque)


class TurningServo:
    """Turns the tools of a batch of cells; a control callback of MuJoCo-Warp.

    The torque is ``K e - D w`` at the tool's body, with the rotation vector ``e`` from the tool to its target and the
    angular velocity ``w``, as MuJoCo's servo has it. It is explicit where that one is part of the implicit integration,
    which the apparent inertia of the arm bears at this step.

    Args:
        count: Number of cells.
        site: The tool.
        body: The body that it is on.
        stiffness_nm_rad: Of all axes, [Nm/rad].
        damping_nm_s_rad: Of all axes, [Nm s/rad].
    """

    def __init__(self, count: int, *, site: int, body: int, stiffness_nm_rad: float, damping_nm_s_rad: float) -> None:
        self.target = wp.zeros(count, dtype=wp.quat)
        """Orientations to turn to, base frame, xyzw."""
        self._law = (site, body, float(stiffness_nm_rad), float(damping_nm_s_rad))

    def __call__(self, model: mjw.Model, data: mjw.Data) -> None:
        """Set the torques of the step that is being computed."""
        inputs = [self.target, data.site_xmat, data.cvel, *self._law]
        wp.launch(_turn, dim=data.nworld, inputs=inputs, outputs=[data.xfrc_applied])
