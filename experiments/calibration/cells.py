"""Cells whose socket estimate errs by the same amount in every trial, simulated side by side."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.calibration import CalibrationSpec, SocketCalibration
from refinery.centring import CentringProbe, HoleCentre
from refinery.rotations import Array, Poses
from refinery.success import plug_offset, strict
from refinery.task import Task
from refinery.tick.outcome import widened
from refinery_sim.section import symmetry
from refinery_sim_train.env.episodes import Episodes, draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.refine.evaluate import BatchPolicy

WRONG_M = 0.003
"""A plug that is wrongly called seated lies within this of the socket's axis in x and y, [m]."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """Difference of the cells from the training's."""

    name: str
    """Name in tables."""
    learns: bool = True
    """Whether estimates are corrected by what was learnt."""
    wrong: float = 0.0
    """Share of trials that are reported as seated, with the plug elsewhere, [0, 1)."""
    moves: bool = False
    """Whether the constant error changes in the middle of the trials."""


CONDITIONS = (
    Condition(name="without", learns=False),
    Condition(name="learning"),
    Condition(name="learning, one success in ten is none", wrong=0.1),
    Condition(name="without, fixture moved", learns=False, moves=True),
    Condition(name="learning, fixture moved", moves=True),
)


def run_cells(
    env: InsertionEnv,
    policy: BatchPolicy,
    condition: Condition,
    *,
    trials: int,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
) -> tuple[NDArray[np.bool_], Array]:
    """Run trials in as many cells as there are environments.

    Draws do not depend on the condition, so equal seeds pair conditions cell by cell and trial by trial.

    Args:
        env: One environment a cell.
        policy: The policy.
        condition: Difference of the cells.
        trials: Trials of each cell.
        seed: Seed of all draws.
        report: Called with the share done.

    Returns:
        Strict success, shape (trials, cells), and what is left of the estimate's constant error in x and y after the
        correction, shape (trials, cells), [m].
    """
    task, cells = env.task, env.count
    rng, wrong_rng = np.random.default_rng([seed, 1]), np.random.default_rng([seed, 2])
    biases_m, yaws_rad = _errors(task, cells, rng), rng.normal(0, task.noise.estimate_bias_yaw_rad, cells)
    later_m = _errors(task, cells, rng)
    calibrations = [SocketCalibration(CalibrationSpec.of(task)) for _ in range(cells)]
    won, left_m = np.zeros((trials, cells), dtype=bool), np.zeros((trials, cells))
    for trial in range(trials):
        bias_m = later_m if condition.moves and 2 * trial >= trials else biases_m
        offsets_m = np.zeros((cells, 3))
        if condition.learns:
            offsets_m[:, :2] = [calibration.correction().offset_m for calibration in calibrations]
        theta = task.initial_state.deployed.uniform(cells, rng)
        episodes = draw_episodes(task, theta, rng)
        yaw = Poses.from_xyz_rpy(np.zeros((cells, 3)), np.column_stack([np.zeros((cells, 2)), yaws_rad]))
        estimate = Poses(
            pos_m=episodes.socket.pos_m + np.column_stack([bias_m, np.zeros(cells)]) - offsets_m,
            quat_xyzw=(yaw.rotation * episodes.socket.rotation).as_quat(),
        )
        won[trial], reported, centre = _insert(env, policy, dataclasses.replace(episodes, estimate=estimate))
        inside = centre.inside(task.socket.clearance_m)
        left_m[trial] = np.hypot(*(bias_m - offsets_m[:, :2]).T)
        # The camera's own estimate is what is learnt from, not the corrected one.
        raw = Poses(pos_m=env.filtered.pos_m + offsets_m, quat_xyzw=env.filtered.quat_xyzw)
        wrong = wrong_rng.random(cells) < condition.wrong
        away_m = wrong_rng.uniform(-WRONG_M, WRONG_M, (cells, 2))
        for cell, calibration in enumerate(calibrations):
            if wrong[cell]:
                elsewhere = episodes.socket.pos_m[cell] + np.array([*away_m[cell], 0.0])
                calibration.seated(raw[cell : cell + 1], elsewhere)
            elif not reported[cell]:
                calibration.failed()
            elif inside[cell]:
                calibration.seated(raw[cell : cell + 1], centre.centre_m[cell])
        report((trial + 1) / trials)
    return won, left_m


def _errors(task: Task, cells: int, rng: np.random.Generator) -> Array:
    """Draw constant errors of the estimate in x and y, shape (cells, 2), [m]."""
    return rng.normal(0, task.noise.estimate_bias_m, (cells, 2))


def _insert(
    env: InsertionEnv, policy: BatchPolicy, episodes: Episodes
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], HoleCentre]:
    """Run one episode a cell; whether it is seated truly, whether the node would say so, and where holes were felt."""
    env.reset(episodes)
    policy.reset()
    for _ in range(env.task.control.episode_steps):
        observation, _ = env.get_observations()
        _, _, won, _ = env.step(policy.act(observation))
    errors = plug_offset(env.filtered, env.plug, symmetry(env.task.plug.section))
    reported = strict(errors, widened(env.task, env.task.control.episode_steps))
    probe = CentringProbe(env.measured, env.filtered, stiffness_n_m=env.task.control.stiffness[0])
    while (target := probe.target(env.plug)) is not None:
        env.drive(target)
    return won, reported, probe.centre(env.plug)
