"""Backend ``mujoco``: MuJoCo's C engine on its thread pool, the default and the fastest without a GPU.

The impedance loop between two policy steps runs inside MuJoCo; Python touches each policy step once for the batch.
"""

from __future__ import annotations

import numpy as np
from mujoco.batch import Batch
from numpy.typing import NDArray

from refinery.rotations import Array, Poses, wxyz_from_xyzw, xyzw_from_wxyz
from refinery.task import Task
from refinery_sim.model import TOOL_DOWN_WXYZ, build_model
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.physics import SUBSTEPS, Simulator, timestep_s

_STATE = ("qpos", "qvel", "ctrl", "mocap_pos", "mocap_quat", "qacc_warmstart")
_MODEL = ("body_pos", "body_quat", "geom_friction")


class MujocoPhysics:
    """A batch of cells in MuJoCo; see :class:`refinery_sim_train.backends.physics.Physics`.

    Args:
        task: The insertion task.
        count: Number of cells B.
        simulator: What it identifies itself as.
        threads: Threads of the physics.
    """

    def __init__(self, task: Task, count: int, simulator: Simulator, threads: int) -> None:
        self.count, self.simulator = count, simulator
        self.model, self._at = build_model(task, timestep_s=timestep_s(task), scenery=False)
        """The compiled model."""
        self._batch = Batch(self.model, nsim=count, nthread=threads)
        self._state: Arrays = {name: self._batch.bind(name) for name in _STATE}
        # Grasp and friction differ between simulations of one model.
        self._state |= {name: self._batch.expand(name) for name in _MODEL}
        self._contact: Array = self._batch.bind("qfrc_constraint")
        self._down = Poses.single(np.zeros(3), xyzw_from_wxyz(TOOL_DOWN_WXYZ)).rotation.inv()

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state."""
        state, at = self._state, self._at
        state["qpos"][rows], state["qvel"][rows], state["qacc_warmstart"][rows] = joints_rad, 0.0, 0.0
        state["mocap_pos"][rows, at.socket_mocap] = socket.pos_m
        state["mocap_quat"][rows, at.socket_mocap] = wxyz_from_xyzw(socket.quat_xyzw)
        state["body_pos"][rows, at.plug_body] = hand_from_plug.pos_m
        state["body_quat"][rows, at.plug_body] = wxyz_from_xyzw(hand_from_plug.quat_xyzw)
        state["geom_friction"][rows[:, None], list(at.plug_geoms), 0] = friction[:, None]
        state["ctrl"][rows, at.posture] = joints_rad

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to."""
        ctrl = self._state["ctrl"]
        ctrl[rows, 0:3] = target.pos_m
        ctrl[rows, 3:6] = (self._down * target.rotation).as_rotvec()

    def step(self) -> None:
        """Advance all cells by one policy period."""
        self._batch.step(nstep=SUBSTEPS)

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]; a view."""
        return self._state["qpos"]

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm]; a view."""
        return self._contact

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied; MuJoCo's names."""
        return {name: np.array(value) for name, value in self._state.items()}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot, to the bit."""
        for name, value in self._state.items():
            value[...] = arrays[name]
