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
Flags = NDArray[np.bool_]


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
    Condition(name="learning, the error jumps in the middle", moves=True),
)
"""Without learning a jump changes nothing: each trial's error is drawn as before."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Results, each of shape (trials, cells)."""

    won: Flags
    """Strict success of the first attempt."""
    won_retried: Flags
    """Strict success with one more attempt after each that was reported as failed, from a new start."""
    left_m: Array
    """What is left of the estimate's constant error in x and y after the correction, [m]."""


@dataclass(frozen=True, kw_only=True)
class _Attempt:
    """End of one attempt a cell."""

    won: Flags
    """Strict success, shape (cells,)."""
    reported: Flags
    """Whether the node would say so, shape (cells,)."""
    hole: HoleCentre | None
    """Where the holes were felt; None if nobody felt for them."""


def run_cells(
    env: InsertionEnv,
    policy: BatchPolicy,
    condition: Condition,
    *,
    trials: int,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
) -> Trials:
    """Run trials in as many cells as there are environments.

    Draws do not depend on the condition, so equal seeds pair conditions cell by cell and trial by trial.

    Args:
        env: One environment a cell.
        policy: The policy.
        condition: Difference of the cells.
        trials: Trials of each cell.
        seed: Seed of all draws.
        report: Called with the share done.
    """
    task, cells = env.task, env.count
    rng, wrong_rng, again_rng = (np.random.default_rng([seed, part]) for part in (1, 2, 3))
    biases_m, yaws_rad = _errors(task, cells, rng), rng.normal(0, task.noise.estimate_bias_yaw_rad, cells)
    later_m = _errors(task, cells, rng)
    calibrations = [SocketCalibration(CalibrationSpec.of(task)) for _ in range(cells)]
    won, reported, left_m = (np.zeros((trials, cells), dtype=kind) for kind in (bool, bool, float))
    again: list[Episodes] = []
    for trial in range(trials):
        bias_m = later_m if condition.moves and 2 * trial >= trials else biases_m
        offsets_m = np.zeros((cells, 3))
        if condition.learns:
            offsets_m[:, :2] = [calibration.correction().offset_m for calibration in calibrations]
        episodes = _drawn(task, bias_m - offsets_m[:, :2], yaws_rad, rng)
        end = _attempt(env, policy, episodes, feel=condition.learns)
        wrong = wrong_rng.random(cells) < condition.wrong
        won[trial], reported[trial] = end.won, end.reported | wrong
        left_m[trial] = np.hypot(*(bias_m - offsets_m[:, :2]).T)
        again.append(_from_new_starts(task, episodes, again_rng)[~reported[trial]])
        away_m = np.column_stack([wrong_rng.uniform(-WRONG_M, WRONG_M, (cells, 2)), np.zeros(cells)])
        if end.hole is not None:
            centre_m = np.where(wrong[:, None], episodes.socket.pos_m + away_m, end.hole.centre_m)
            # The camera's own estimate is what is learnt from, not the corrected one.
            raw = Poses(pos_m=env.filtered.pos_m + offsets_m, quat_xyzw=env.filtered.quat_xyzw)
            certain = end.reported & end.hole.inside(task.socket.clearance_m) | wrong
            _learn(calibrations, raw, centre_m, certain, ~reported[trial])
        report((trial + 1) / trials)
    won_retried = np.where(reported, won, False)
    won_retried[~reported] = _attempt_again(env, policy, again)
    return Trials(won=won, won_retried=won_retried, left_m=left_m)


def _errors(task: Task, cells: int, rng: np.random.Generator) -> Array:
    """Draw constant errors of the estimate in x and y, shape (cells, 2), [m]."""
    return rng.normal(0, task.noise.estimate_bias_m, (cells, 2))


def _drawn(task: Task, error_m: Array, yaws_rad: Array, rng: np.random.Generator) -> Episodes:
    """Draw an episode a cell from uniform starts, with these errors of the estimate: x and y (cells, 2), yaw."""
    cells = len(error_m)
    episodes = draw_episodes(task, task.initial_state.deployed.uniform(cells, rng), rng)
    yaw = Poses.from_xyz_rpy(np.zeros((cells, 3)), np.column_stack([np.zeros((cells, 2)), yaws_rad]))
    estimate = Poses(
        pos_m=episodes.socket.pos_m + np.column_stack([error_m, np.zeros(cells)]),
        quat_xyzw=(yaw.rotation * episodes.socket.rotation).as_quat(),
    )
    return dataclasses.replace(episodes, estimate=estimate)


def _from_new_starts(task: Task, episodes: Episodes, rng: np.random.Generator) -> Episodes:
    """Draw another start and another jitter for the same cells, sockets and errors."""
    fresh = draw_episodes(task, task.initial_state.deployed.uniform(len(episodes), rng), rng)
    return dataclasses.replace(episodes, theta=fresh.theta, jitter_m=fresh.jitter_m)


def _attempt(env: InsertionEnv, policy: BatchPolicy, episodes: Episodes, *, feel: bool) -> _Attempt:
    """Run one episode a cell, and then feel for the walls if asked to."""
    env.reset(episodes)
    policy.reset()
    for _ in range(env.task.control.episode_steps):
        observation, _ = env.get_observations()
        _, _, won, _ = env.step(policy.act(observation))
    errors = plug_offset(env.filtered, env.plug, symmetry(env.task.plug.section))
    reported = strict(errors, widened(env.task, env.task.control.episode_steps))
    if not feel:
        return _Attempt(won=won, reported=reported, hole=None)
    probe = CentringProbe(env.measured, env.filtered, stiffness_n_m=env.task.control.stiffness[0])
    while (target := probe.target(env.plug)) is not None:
        env.drive(target)
    return _Attempt(won=won, reported=reported, hole=probe.centre(env.plug))


def _attempt_again(env: InsertionEnv, policy: BatchPolicy, trials: list[Episodes]) -> Flags:
    """Run episodes of all trials, of which each has some, and return who won, in their order."""
    everything = _joined(trials)
    count, won = len(everything), np.zeros(len(everything), dtype=bool)
    for first in range(0, count, env.count):
        # The last batch is filled up with repetitions.
        rows = np.minimum(np.arange(first, first + env.count), count - 1)
        won[rows] = _attempt(env, policy, everything[rows], feel=False).won
    return won


def _joined(sets: list[Episodes]) -> Episodes:
    """Join sets of episodes into one."""

    def poses(of: Callable[[Episodes], Poses]) -> Poses:
        return Poses(
            pos_m=np.vstack([of(each).pos_m for each in sets]),
            quat_xyzw=np.vstack([of(each).quat_xyzw for each in sets]),
        )

    return Episodes(
        theta=np.vstack([each.theta for each in sets]),
        socket=poses(lambda each: each.socket),
        estimate=poses(lambda each: each.estimate),
        control_bias_m=np.vstack([each.control_bias_m for each in sets]),
        jitter_m=np.vstack([each.jitter_m for each in sets]),
        friction=np.concatenate([each.friction for each in sets]),
    )


def _learn(calibrations: list[SocketCalibration], raw: Poses, centre_m: Array, certain: Flags, failed: Flags) -> None:
    """Tell every cell how its trial ended."""
    for cell, calibration in enumerate(calibrations):
        if certain[cell]:
            calibration.seated(raw[cell : cell + 1], centre_m[cell])
        elif failed[cell]:
            calibration.failed()
