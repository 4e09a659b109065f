"""The same episodes in the training environment and through the node's policy tick on the twin's physics.

The environment steps a batch at 360 Hz; the twin steps one cell at 1 kHz under the guard, in lockstep with the tick.
Sockets, biases, jitter, friction and initial states are equal, so outcomes pair. No ROS lies between: that ticks are
the same with it is tested on recordings (tests/end_to_end).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from experiments.insertion import insert
from refinery.bundle import Bundle
from refinery.initial_state import GRASP, tool_pose
from refinery.kinematics import ArmKinematics
from refinery.rotations import Poses
from refinery.statistics import Rate
from refinery.success import plug_offset, strict
from refinery.tick.guard import GuardDecision, Level, Reason
from refinery.tick.runtime import PolicyRuntime
from refinery_sim.plant import Plant
from refinery_sim_train.env.episodes import Episodes, draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.refine.evaluate import BatchPolicy


@dataclass(frozen=True, kw_only=True)
class TwinPairs:
    """Outcomes of n episodes, both ways."""

    training: NDArray[np.bool_]
    """Strict success in the training environment, shape (n,)."""
    twin: NDArray[np.bool_]
    """Strict success on the twin, shape (n,)."""
    reasons: tuple[Reason, ...]
    """Why the guard, which the environment does not have, stopped each episode on the twin; NONE where it did not."""

    @property
    def rates(self) -> tuple[Rate, Rate]:
        """Success in the environment and on the twin."""
        return Rate.of(self.training), Rate.of(self.twin)

    @property
    def stopped(self) -> NDArray[np.bool_]:
        """Whether the guard stopped the episode on the twin, shape (n,)."""
        return np.array([reason is not Reason.NONE for reason in self.reasons])

    @property
    def stops(self) -> dict[str, int]:
        """Number of episodes that the guard stopped, by reason."""
        return dict(Counter(reason.name.lower() for reason in self.reasons if reason is not Reason.NONE))

    def of(self, rows: NDArray[np.bool_]) -> TwinPairs:
        """Return the pairs of some of the episodes, given as booleans of shape (n,)."""
        reasons = tuple(reason for reason, wanted in zip(self.reasons, rows, strict=True) if wanted)
        return TwinPairs(training=self.training[rows], twin=self.twin[rows], reasons=reasons)


def run_pairs(
    env: InsertionEnv,
    bundle: Bundle,
    policy: BatchPolicy,
    kinematics: ArmKinematics,
    home_rad: ArrayLike,
    *,
    count: int,
    seed: int,
    report: Callable[[float], None] = lambda share: None,
) -> TwinPairs:
    """Run ``count`` episodes from uniform starts both ways.

    Args:
        env: Environment of the bundle's task.
        bundle: The policy, for the node's tick.
        policy: The same policy for the environment's batch.
        kinematics: Kinematics of the simulated arm.
        home_rad: Seed of the inverse kinematics, shape (7,), [rad].
        count: Episodes.
        seed: Seed of starts and noise.
        report: Called with the share done.

    Returns:
        The paired outcomes.
    """
    rng = np.random.default_rng(seed)
    task = bundle.task
    runtime = PolicyRuntime(bundle)
    training: list[bool] = []
    twin: list[bool] = []
    reasons: list[Reason] = []
    while len(twin) < count:
        episodes = draw_episodes(task, task.initial_state.deployed.uniform(env.count, rng), rng)
        wanted = min(env.count, count - len(twin))
        training.extend(_in_training(env, policy, episodes)[:wanted].tolist())
        joints, _ = kinematics.inverse(
            tool_pose(episodes.estimate, episodes.theta, task.plug.tool_from_plug), np.asarray(home_rad)
        )
        for row in range(wanted):
            seated, decision = twin_episode(runtime, episodes[row : row + 1], joints[row])
            twin.append(seated)
            reasons.append(decision.reason if decision.level is Level.STOP else Reason.NONE)
            report(len(twin) / count)
    return TwinPairs(training=np.array(training), twin=np.array(twin), reasons=tuple(reasons))


def _in_training(env: InsertionEnv, policy: BatchPolicy, episodes: Episodes) -> NDArray[np.bool_]:
    env.reset(episodes)
    policy.reset()
    now = np.zeros(env.count, dtype=bool)
    for _ in range(env.task.control.episode_steps):
        observation, _ = env.get_observations()
        _, _, now, _ = env.step(policy.act(observation))
    return now


def twin_episode(runtime: PolicyRuntime, episode: Episodes, joints_rad: ArrayLike) -> tuple[bool, GuardDecision]:
    """Run one episode on the twin's plant.

    Args:
        runtime: The policy tick; re-armed here if the episode before was stopped, for the cell is a new one.
        episode: Draws of one episode.
        joints_rad: Joints at the start, shape (7,), [rad].

    Returns:
        Strict success, and the guard's last decision.
    """
    task = runtime.task
    plant = Plant(task, joints_rad)
    grasp = episode.theta[:, GRASP]
    plant.reset(
        socket=episode.socket,
        grasp=grasp,
        friction=float(episode.friction[0]),
        control_bias_m=episode.control_bias_m[0],
    )

    def estimate_at(step: int) -> Poses:
        jittered = episode.estimate.pos_m + episode.jitter_m[:, step]
        return Poses(pos_m=jittered, quat_xyzw=episode.estimate.quat_xyzw)

    decision = insert(runtime, plant, estimate_at, grasp)
    errors = plug_offset(plant.socket, plant.plug, runtime.part.symmetry)
    return bool(strict(errors, task.success)[0]), decision
