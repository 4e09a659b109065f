"""The simulated cell with all parts of a sequence, free of ROS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refinery.initial_state import GRASP_NAMES
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.sequence.sequence import Sequence
from refinery.task import Task
from refinery_sim.assembly.cell_draw import draw_cell, draw_tray_error
from refinery_sim.assembly.from_sequence import assembly_of
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_twin.cell import Cell
from refinery_twin.estimates import SocketEstimator
from refinery_twin.trial import Trial, TrialDraw


class AssemblyCell(Cell):
    """A cell whose parts stand in trays; what a trial says of the socket is said of the assembly's base.

    Args:
        sequence: The sequence.
        tasks: Tasks of its steps, by name.
        profile: Profile of the arm.
        seed: Of everything that is drawn.
    """

    plant: AssemblyPlant

    def __init__(self, sequence: Sequence, tasks: Mapping[str, Task], profile: RobotProfile, seed: int) -> None:
        self.sequence = sequence
        self._parts, base = assembly_of(sequence, tasks)
        plant = AssemblyPlant(self._parts, base, profile.home_rad)
        super().__init__(tasks[sequence.steps[0].task], profile, seed, plant=plant)

    @property
    def sequence_step(self) -> int:
        """Index of the step whose part is in the hand; 0 for an empty one."""
        held = self.plant.held
        return 0 if held is None else self.sequence.index_of(held)

    def _drawn(self, seed: int, grasp: Array) -> Trial:
        noise, drawn = self.task.noise, draw_cell(self.sequence, self.task.noise, seed)
        draw = TrialDraw(
            seed=seed,
            socket=drawn.base,
            estimate=drawn.estimate,
            control_bias_m=drawn.control_bias_m,
            friction=self.task.socket.friction,
            estimator=SocketEstimator(unjittered=drawn.estimate, jitter_m=noise.estimate_jitter_m, seed=seed),
        )
        self.plant.reset(socket=draw.socket, control_bias_m=draw.control_bias_m, parts=self._in_trays(seed))
        return Trial(self.task, draw, np.zeros((1, len(GRASP_NAMES))), self.plant.time_s)

    def _in_trays(self, seed: int) -> dict[str, Poses]:
        """Draw where parts stand in their trays."""
        return {
            part.name: part.tray @ draw_tray_error(self.sequence, index, seed) for index, part in enumerate(self._parts)
        }
