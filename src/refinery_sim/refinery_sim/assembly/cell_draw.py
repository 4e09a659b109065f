"""What is random about the cell of a run of a sequence: the same in the twin and in the study without ROS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.rotations import Array, Poses
from refinery.sequence.sequence import Sequence
from refinery.task import NoiseSpec
from refinery_sim.assembly.randomness import assembly_rng


@dataclass(frozen=True, kw_only=True, eq=False)
class CellDraw:
    """What is constant in a run; frames: the arm's base."""

    base: Poses
    """Where the assembly's base is clamped, batch of one."""
    estimate: Poses
    """Where the camera sees it without jitter, batch of one."""
    control_bias_m: Array
    """Error of the commanded tool position, shape (3,), [m]."""


def draw_cell(sequence: Sequence, noise: NoiseSpec, seed: int) -> CellDraw:
    """Draw the cell of a run.

    Args:
        sequence: Where its base may be.
        noise: How far camera and arm are off.
        seed: Of the run; equal seeds give equal cells.
    """
    spec, rng = sequence.base, assembly_rng(seed, step=0, attempt=0, purpose="cell")
    xyz = np.asarray(spec.nominal_xyz_m) + rng.uniform(-1, 1, 3) * np.asarray(spec.range_xyz_m)
    yaw = float(rng.uniform(-1, 1)) * spec.range_yaw_rad
    bias = np.append(rng.normal(0, noise.estimate_bias_m, 2), 0.0)
    yaw_bias = float(rng.normal(0, noise.estimate_bias_yaw_rad))
    return CellDraw(
        base=Poses.from_xyz_rpy(xyz, (0.0, 0.0, yaw)),
        estimate=Poses.from_xyz_rpy(xyz + bias, (0.0, 0.0, yaw + yaw_bias)),
        control_bias_m=rng.normal(0, noise.control_bias_m, 3),
    )


def draw_tray_error(sequence: Sequence, step: int, seed: int) -> Poses:
    """Draw where a part stands in the frame of its tray, batch of one.

    Args:
        sequence: How well the trays hold their parts.
        step: Index of the part's step.
        seed: Of the run.
    """
    error, rng = sequence.tray_error, assembly_rng(seed, step=step, attempt=0, purpose="tray")
    x, y = rng.uniform(-1, 1, 2) * error.xy_m
    return Poses.from_xyz_rpy((x, y, 0.0), (0.0, 0.0, float(rng.uniform(-1, 1)) * error.yaw_rad))
