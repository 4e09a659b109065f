"""Assesses a placement by MuJoCo's kinematics and contacts, which the placing nodes do not use."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np

from experiments.placement.placement_bench import Placed
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Array, Poses, angle_between_rad
from refinery.task import Task
from refinery_evaluation.trials.client import OUTCOMES
from refinery_msgs.msg import Outcome
from refinery_ros.conversions import pose_numbers
from refinery_sampler_node.parameters import SamplerParameters
from refinery_sim.contacts import Contacts
from refinery_twin.planning.arm_links import FINGER_TRAVEL_M, neighbours
from refinery_twin.trial import draw_trial

MOST_MM, MOST_DEG = 1.0, 0.5
"""Largest error of a placement, the one the project promises."""
_STEP_RAD = 0.003


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The measured outcome of one placement."""

    task: str
    mode: str
    seed: int
    outcome: str
    """placed, refused, or how else it ended."""
    message: str
    """Message of the sampler."""
    another_sample_taken: bool
    """Whether MoveIt found no path to the first sample, and another was taken."""
    error_mm: float | None
    """Distance of the tool from the pose asked for, by MuJoCo's kinematics; None unless placed."""
    error_deg: float | None
    """Angle between the two; None unless placed."""
    beyond_mm: float
    """How far the tool went below the requested pose on the path there, by MuJoCo's kinematics."""
    contacts: list[str]
    """What touched what on the path, by MuJoCo's collision detection among everything at its true place."""
    part_force_n: float
    """Largest contact force on the part, by the twin's physics, [N]."""
    states: int
    """Joint states received; contacts are checked between them in steps of a few milliradians."""
    moved: bool
    """Whether the arm moved."""

    @property
    def sound(self) -> bool:
        """Placed within the promise or refused without a motion, and without a contact."""
        if self.contacts or self.part_force_n > 0:
            return False
        if self.outcome == "refused":
            return bool(self.message) and not self.moved
        error_mm, error_deg = self.error_mm, self.error_deg
        if self.outcome != "placed" or error_mm is None or error_deg is None:
            return False
        return error_mm <= MOST_MM and error_deg <= MOST_DEG

    def to_json(self) -> dict[str, object]:
        """Return it for a results file."""
        return asdict(self)


def assess(task: Task, mode: str, seed: int, placed: Placed) -> Assessment:
    """Assess a placement in the cell that a seed sets up.

    Args:
        task: Of the cell.
        mode: How the initial state was sampled.
        seed: Of the cell.
        placed: The placement.
    """
    profile, path, result = load_robot_profile("twin"), placed.joints_rad, placed.result
    cell = Contacts(
        task,
        draw_trial(task, seed).socket,
        placed.grasp,
        table_top_m=SamplerParameters().table_top_m,
        fingers_m=FINGER_TRAVEL_M,
        allowed=neighbours(profile),
    )
    outcome = OUTCOMES[result.outcome.value]
    arrived = result.outcome.value == Outcome.SUCCESS
    error_mm = error_deg = None
    beyond_mm = 0.0
    if arrived:
        asked, reached = Poses.single(*pose_numbers(result.pose_goal.pose)), cell.tool(path[-1])
        error_mm = 1e3 * float(np.linalg.norm(reached.pos_m - asked.pos_m))
        error_deg = math.degrees(float(angle_between_rad(reached.quat_xyzw, asked.quat_xyzw)[0]))
        lowest = min(float(cell.tool(joints).pos_m[0, 2]) for joints in path)
        beyond_mm = 1e3 * max(0.0, float(asked.pos_m[0, 2]) - lowest)
    touching = {pair for joints in _dense(path) for pair in cell.at(joints)}
    return Assessment(
        task=task.name,
        mode=mode,
        seed=seed,
        outcome="placed" if arrived else outcome,
        message=result.outcome.message,
        another_sample_taken="rejected before" in result.outcome.message,
        error_mm=error_mm,
        error_deg=error_deg,
        beyond_mm=beyond_mm,
        contacts=sorted(" touches ".join(pair) for pair in touching),
        part_force_n=placed.part_force_n,
        states=len(path),
        moved=bool(np.ptp(path, axis=0).max() > 1e-3),
    )


def _dense(path_rad: Array) -> Array:
    """Return a path with points between its points, shape (M, 7): messages get lost, contacts must not."""
    gaps = np.ceil(np.abs(np.diff(path_rad, axis=0)).max(axis=1) / _STEP_RAD).astype(int)
    parts = [
        np.linspace(a, b, gap, endpoint=False) for a, b, gap in zip(path_rad, path_rad[1:], gaps, strict=False) if gap
    ]
    return np.vstack([*parts, path_rad[-1:]])
