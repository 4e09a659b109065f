"""Backend ``isaaclab``: Isaac Lab without Isaac Sim, on Newton with MuJoCo-Warp, in its own Python 3.12 environment.

A process has one simulation. What a refinement asks for twice, for training and for evaluation, are two states of it
that take turns.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from isaaclab.scene import InteractiveScene
from isaaclab.sim import SimulationContext
from isaaclab.sim.utils.stage import use_stage
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.isaaclab_cell import CellSceneCfg, fill_scene, simulation_cfg
from refinery_sim_train.backends.newton_cells import NewtonCells, own_decimation
from refinery_sim_train.backends.physics import SUBSTEPS, Simulator
from refinery_sim_train.backends.warp_device import warp_device


class _Simulation:
    """The simulation of this process."""

    def __init__(self, task: Task, count: int, device: str) -> None:
        self.key = (task.hash(), count, device)
        self.turn: IsaacLabPhysics | None = None
        """Whose state it is in."""
        profile = load_robot_profile(config_file("robots", "twin"))
        scene = CellSceneCfg(num_envs=count)
        with tempfile.TemporaryDirectory(prefix="refinery_usd_") as folder:
            model = fill_scene(scene, task, tuple(profile.home_rad), Path(folder))
            self._sim = SimulationContext(simulation_cfg(task, device))
            with use_stage(self._sim.stage):
                self._scene = InteractiveScene(scene)
            self._sim.register_interactive_scene(self._scene)
            with use_stage(self._sim.stage):
                self._sim.reset()
        self._calls = 1 if own_decimation() else SUBSTEPS
        self.cells = NewtonCells(task, model, self._scene["robot"])

    def step(self) -> None:
        """Advance by one policy period."""
        for _ in range(self._calls):
            self._scene.write_data_to_sim()
            self._sim.step(render=False)
        self._scene.update(dt=self._sim.cfg.dt * SUBSTEPS)


_running: _Simulation | None = None


def _simulation(task: Task, count: int, device: str) -> _Simulation:
    """The simulation of this process, made anew if it is another one that is wanted."""
    global _running
    if _running is None or _running.key != (task.hash(), count, device):
        if _running is not None:
            _running = None
            SimulationContext.clear_instance()
        elif SimulationContext.instance() is not None:
            raise RefineryError("Isaac Lab has one simulation in a process, and another one is open here")
        _running = _Simulation(task, count, device)
    return _running


class IsaacLabPhysics:
    """A batch of cells in Isaac Lab; see :class:`refinery_sim_train.backends.physics.Physics`.

    Args:
        task: The insertion task.
        count: Number of cells B.
        simulator: What it identifies itself as; names the device.

    Raises:
        ConfigError: There is no such device.
    """

    def __init__(self, task: Task, count: int, simulator: Simulator) -> None:
        self.count, self.simulator = count, simulator
        warp_device(simulator.device)
        self._simulation = _simulation(task, count, simulator.device)
        self._waiting: Arrays | None = None
        """State to go on from at this one's next turn."""

    def _cells(self) -> NewtonCells:
        """The cells, in this one's state."""
        simulation = self._simulation
        if simulation is not _running:
            raise RefineryError("Isaac Lab has one simulation in a process: this one was closed for another task's")
        if simulation.turn is not self:
            if simulation.turn is not None:
                simulation.turn._waiting = simulation.cells.snapshot()
            simulation.turn = self
            if self._waiting is not None:
                simulation.cells.restore(self._waiting)
                self._waiting = None
        return simulation.cells

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state."""
        self._cells().impose(rows, joints_rad, socket, hand_from_plug, friction)

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to."""
        self._cells().command(target, rows)

    def step(self) -> None:
        """Advance all cells by one policy period; on a GPU as one captured graph."""
        self._cells()
        self._simulation.step()

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]."""
        return self._cells().joints_rad()

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm]."""
        return self._cells().contact_torque_nm()

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied."""
        return self._cells().snapshot()

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot, to the bit on a CPU."""
        self._cells().restore(arrays)
