"""Backend ``warp``: MuJoCo-Warp, the same model stepped by GPU kernels, for thousands of environments on one GPU.

It runs on a CPU too, where tests use it: an order of magnitude slower there than the C engine. Numbers are float32.
"""

from __future__ import annotations

import mujoco_warp as mjw
import numpy as np
import warp as wp
from numpy.typing import NDArray

from refinery.rotations import Array, Poses, wxyz_from_xyzw
from refinery.task import Task
from refinery_sim.model import build_model
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.impedance import Impedance
from refinery_sim_train.backends.physics import SUBSTEPS, Simulator, timestep_s
from refinery_sim_train.backends.solver_limits import CONSTRAINTS, CONTACTS, LINE_SEARCH_ITERATIONS
from refinery_sim_train.backends.warp_device import warp_device

_STATE = ("qpos", "qvel", "ctrl", "mocap_pos", "mocap_quat", "qacc_warmstart")
_MODEL = ("body_pos", "body_quat", "geom_friction")


class WarpPhysics:
    """A batch of cells in MuJoCo-Warp; see :class:`refinery_sim_train.backends.physics.Physics`.

    Args:
        task: The insertion task.
        count: Number of cells B.
        simulator: What it identifies itself as; names the device.

    Raises:
        ConfigError: There is no such device.
    """

    def __init__(self, task: Task, count: int, simulator: Simulator) -> None:
        self.count, self.simulator = count, simulator
        self._device = warp_device(simulator.device)
        model, self._at = build_model(task, timestep_s=timestep_s(task), scenery=False, turning_servo=False)
        model.opt.ls_iterations = LINE_SEARCH_ITERATIONS
        with wp.ScopedDevice(self._device):
            self._model = mjw.put_model(model, batch_sizes={name: count for name in _MODEL})
            self._data = mjw.make_data(model, nworld=count, nconmax=CONTACTS, njmax=CONSTRAINTS)
            tool, control = self._at.tool_site, task.control
            body, turning = int(model.site_bodyid[tool]), np.repeat([0.0, 1.0], 3)
            self._turning = Impedance(
                count,
                body=body,
                root=int(model.body_rootid[body]),
                body_from_tool_m=model.site_pos[tool],
                stiffness=turning * control.turning_stiffness,
                damping=turning * control.damping,
            )
        self._model.callback.control = self._turning
        self._arrays = {name: getattr(self._data, name) for name in _STATE}
        self._arrays |= {name: getattr(self._model, name) for name in _MODEL}
        self._arrays["turning_target"] = self._turning.target_quat
        self._graph: wp.Graph | None = None

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state."""
        at = self._at
        self._write("qpos", rows, joints_rad)
        self._write("qvel", rows, 0.0)
        self._write("qacc_warmstart", rows, 0.0)
        self._write("mocap_pos", (rows, at.socket_mocap), socket.pos_m)
        self._write("mocap_quat", (rows, at.socket_mocap), wxyz_from_xyzw(socket.quat_xyzw))
        self._write("body_pos", (rows, at.plug_body), hand_from_plug.pos_m)
        self._write("body_quat", (rows, at.plug_body), wxyz_from_xyzw(hand_from_plug.quat_xyzw))
        self._write("geom_friction", (rows[:, None], list(at.plug_geoms), 0), friction[:, None])
        self._write("ctrl", (rows, at.posture), joints_rad)

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to."""
        self._write("ctrl", (rows, self._at.cartesian), target.pos_m)
        self._write("turning_target", rows, target.quat_xyzw)

    def step(self) -> None:
        """Advance all cells by one policy period; on a GPU as one captured graph."""
        with wp.ScopedDevice(self._device):
            if self._device.is_cuda:
                self._graph = self._graph or self._captured()
                wp.capture_launch(self._graph)
            else:
                self._steps(SUBSTEPS)

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]."""
        joints: Array = self._data.qpos.numpy().astype(np.float64)
        return joints

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm]."""
        torque: Array = self._data.qfrc_constraint.numpy().astype(np.float64)
        return torque

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied; MuJoCo's names."""
        return {name: np.array(array.numpy()) for name, array in self._arrays.items()}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot, to the bit on a CPU."""
        for name, array in self._arrays.items():
            array.assign(arrays[name])

    def _write(self, name: str, index: object, values: Array | float) -> None:
        array = self._arrays[name]
        host = array.numpy()
        host[index] = values
        # A view on a CPU, a copy of what a GPU has.
        if self._device.is_cuda:
            array.assign(host)

    def _steps(self, count: int) -> None:
        for _ in range(count):
            mjw.step(self._model, self._data)

    def _captured(self) -> wp.Graph:
        """Record the steps of a policy period as a graph; kernels are compiled by a first step, which is undone."""
        before = self.snapshot()
        self._steps(1)
        self.restore(before)
        with wp.ScopedCapture() as capture:
            self._steps(SUBSTEPS)
        return capture.graph
