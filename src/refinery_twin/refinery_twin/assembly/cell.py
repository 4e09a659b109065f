"""The simulated cell with all parts of a sequence, free of ROS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from refinery.initial_state import GRASP_NAMES
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.sequence.sequence import Sequence
from refinery.task import Task
from refinery_sim.assembly.from_sequence import assembly_of
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_sim.assembly.randomness import assembly_rng
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

    def _drawn(self, seed: int, grasp: Array) -> Trial:
        base, noise = self.sequence.base, self.task.noise
        rng = assembly_rng(seed, step=0, attempt=0, purpose="cell")
        xyz = np.asarray(base.nominal_xyz_m) + rng.uniform(-1, 1, 3) * np.asarray(base.range_xyz_m)
        yaw = float(rng.uniform(-1, 1)) * base.range_yaw_rad
        bias = np.append(rng.normal(0, noise.estimate_bias_m, 2), 0.0)
        estimate = Poses.from_xyz_rpy(xyz + bias, (0.0, 0.0, yaw + float(rng.normal(0, noise.estimate_bias_yaw_rad))))
        draw = TrialDraw(
            seed=seed,
            socket=Poses.from_xyz_rpy(xyz, (0.0, 0.0, yaw)),
            estimate=estimate,
            control_bias_m=rng.normal(0, noise.control_bias_m, 3),
            friction=self.task.socket.friction,
            estimator=SocketEstimator(
                estimate, noise.estimate_jitter_m, assembly_rng(seed, step=0, attempt=0, purpose="jitter")
            ),
        )
        self.plant.reset(socket=draw.socket, control_bias_m=draw.control_bias_m, parts=self._in_trays(seed))
        return Trial(self.task, draw, np.zeros((1, len(GRASP_NAMES))))

    def _in_trays(self, seed: int) -> dict[str, Poses]:
        """Draw where parts stand in their trays."""
        error = self.sequence.tray_error
        poses = {}
        for index, part in enumerate(self._parts):
            rng = assembly_rng(seed, step=index, attempt=0, purpose="tray")
            xyz = np.append(rng.uniform(-1, 1, 2) * error.xy_m, 0.0)
            away = Poses.from_xyz_rpy(xyz, (0.0, 0.0, float(rng.uniform(-1, 1)) * error.yaw_rad))
            poses[part.name] = part.tray @ away
        return poses
