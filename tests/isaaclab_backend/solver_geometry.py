"""Where the solver's own shapes are: Newton's body poses can be right while those lie elsewhere."""

from __future__ import annotations

import mujoco_warp
import numpy as np
import warp as wp
from isaaclab_newton.physics import NewtonManager

from refinery.rotations import Poses
from refinery_sim_train.backends.newton_cells import NewtonCells


def shape_positions(cells: NewtonCells, owner: str) -> np.ndarray:
    """Positions of a body's shapes for the state imposed last, shape (B, shapes, 3), [m], in the order of the scene."""
    solver = cells._solver
    _to_solver(solver)
    model = solver.mj_model
    shapes = [geom for geom in range(model.ngeom) if model.body(model.geom_bodyid[geom]).name.endswith(owner)]
    return solver.mjw_data.geom_xpos.numpy()[:, shapes].astype(np.float64)


def contact_distances(cells: NewtonCells, row: int) -> np.ndarray:
    """Distances of a cell's contacts for the state imposed last, in rising order, [m]."""
    solver = cells._solver
    _to_solver(solver)
    with wp.ScopedDevice(solver.model.device):
        mujoco_warp.collision(solver.mjw_model, solver.mjw_data)
    contact, count = solver.mjw_data.contact, int(solver.mjw_data.nacon.numpy()[0])
    return np.sort(contact.dist.numpy()[:count][contact.worldid.numpy()[:count] == row])


def _to_solver(solver) -> None:
    """Bring the state imposed last to the solver's bodies."""
    NewtonManager.forward()
    solver._update_mjc_data(solver.mjw_data, solver.model, NewtonManager.get_state_0())
    with wp.ScopedDevice(solver.model.device):
        mujoco_warp.kinematics(solver.mjw_model, solver.mjw_data)


def expected_positions(bodies: Poses, local_m: np.ndarray) -> np.ndarray:
    """Positions of shapes at local_m (shapes, 3) on bodies (B), shape (B, shapes, 3), [m]."""
    turned = [bodies.rotation.apply(np.tile(point, (len(bodies.pos_m), 1))) for point in local_m]
    return bodies.pos_m[:, None] + np.stack(turned, axis=1)
