"""Trials in one cell that differs from those of training: other friction, and a constant error of the socket estimate.

The policy tick of the node, the twin's plant and its truth in lockstep; no ROS lies between, and the arm starts where
it was sent.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from experiments.twin_pairs.pairs import twin_episode
from refinery.bundle import Bundle
from refinery.config import check
from refinery.initial_state import tool_pose
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.tick.guard import Level
from refinery.tick.runtime import PolicyRuntime
from refinery_sim_train.env.episodes import Episodes, draw_episodes

FIRST_SEED = 40_000_000
"""Cells of these trials; no other stream of seeds uses the numbers from here on."""


@dataclass(frozen=True, kw_only=True)
class CellErrors:
    """What is the same in every trial of the cell, and other than in training."""

    friction: float
    """Sliding friction coefficient between plug and socket."""
    bias_m: tuple[float, float]
    """Constant error of the socket estimate in x and y of the socket's frame, [m]."""
    yaw_rad: float
    """Constant error of its yaw, [rad]."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.friction > 0, "friction", "> 0", self.friction)

    def of(self, drawn: Episodes) -> Episodes:
        """Put episodes of training into this cell; jitter, sockets and the arm's own errors stay as drawn."""
        errors = Poses.from_xyz_rpy(np.array([[*self.bias_m, 0.0]]), np.array([[0.0, 0.0, self.yaw_rad]]))
        return dataclasses.replace(drawn, friction=np.full(len(drawn), self.friction), estimate=drawn.socket @ errors)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a trial ended."""

    won: bool
    """Strict success by the plant's truth."""
    stopped: str
    """Name of the guard's reason; ``none`` where it did not stop the trial."""


class TrialCell:
    """Runs trials of one bundle.

    Args:
        bundle: The policy and its task.
        errors: Of the cell.
        profile: Of the arm.
    """

    def __init__(self, bundle: Bundle, errors: CellErrors, profile: RobotProfile) -> None:
        self._task, self._errors = bundle.task, errors
        self._runtime = PolicyRuntime(bundle)
        self._arm, self._home_rad = profile.arm_kinematics(), np.asarray(profile.home_rad)

    def run(self, seed: int, theta: Array) -> Ended:
        """Run one trial.

        Args:
            seed: Of everything that is drawn but the start.
            theta: The start, shape (9,).
        """
        rng = np.random.default_rng(FIRST_SEED + seed)
        episode = self._errors.of(draw_episodes(self._task, theta[None], rng))
        pose = tool_pose(episode.estimate, episode.theta, self._task.plug.tool_from_plug)
        joints_rad, _ = self._arm.inverse(pose, self._home_rad)
        won, decision = twin_episode(self._runtime, episode, joints_rad[0])
        stopped = decision.level is Level.STOP
        return Ended(won=won, stopped=decision.reason.name.lower() if stopped else "none")
