"""A refinement of many times its preset's steps, planned so that it ends in the time there is."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from typing import Any

from experiments.backends.timed import TimedPhysics
from refinery.statistics import paired_p_value, rate_difference_interval
from refinery.task import Task
from refinery_sim_train.console import console
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.refine.loop import RefineResult
from refinery_sim_train.refine.prepare import prepare_refinement
from refinery_sim_train.weights import WeightsArgs

EVALUATIONS = 14
"""Evaluations beside the training, each of one episode per environment."""
TRAINING_SHARE = 0.5
"""Share of a training's time that its rollouts are planned to take; the rest is the learner's."""
VALIDATIONS = 4
"""Validations of the training."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class TimedSimulator(SimulatorArgs):
    """A simulator whose environments tell how long they waited for it."""

    made: list[TimedPhysics] = dataclasses.field(default_factory=list)
    """What was made so far."""

    def make_env(self, task: Task, count: int) -> InsertionEnv:
        """Build the environment of a task over a timed simulator."""
        env = super().make_env(task, count)
        env.physics = timed = TimedPhysics(env.physics)
        self.made.append(timed)
        return env


def planned(
    spec: RefineSpec, task: Task, *, count: int, times: float, steps_per_s: float, left_s: float
) -> RefineSpec | None:
    """Fit a refinement into the time left.

    Args:
        spec: The preset.
        task: The insertion task.
        count: Number of environments.
        times: Most steps of training, as a multiple of the preset's.
        steps_per_s: Measured rate of the environment.
        left_s: Time there is, [s].

    Returns:
        The preset with as many iterations of that many environments as fit; None if not even four do.
    """
    preset_steps = spec.rounds * spec.iterations_per_round * spec.environments * spec.ppo.num_steps_per_env
    evaluation_s = EVALUATIONS * count * task.control.episode_steps / steps_per_s
    affordable = (left_s - evaluation_s) * TRAINING_SHARE * steps_per_s
    iterations = math.floor(min(times * preset_steps, affordable) / (count * spec.ppo.num_steps_per_env))
    if iterations < VALIDATIONS:
        return None
    rounds = VALIDATIONS * max(1, min(spec.rounds, iterations) // VALIDATIONS)
    return dataclasses.replace(
        spec,
        environments=count,
        rounds=rounds,
        iterations_per_round=iterations // rounds,
        validate_every=rounds // VALIDATIONS,
    )


def refine_long(
    task: Task, spec: RefineSpec, simulator: TimedSimulator, *, seed: int, out: Path, preset_steps: int
) -> dict[str, Any]:
    """Run a refinement from the shipped base to a bundle and return its figures, JSON-ready.

    Args:
        task: The insertion task.
        spec: Settings.
        simulator: What steps it.
        seed: The run's seed.
        out: Run folder; must be empty.
        preset_steps: Training steps of the preset, to compare with.
    """
    began = time.perf_counter()
    refinement = prepare_refinement(task, spec, WeightsArgs(), seed=seed, out=out, simulator=simulator)
    result: RefineResult = refinement.run(out / "bundle", lambda text: console.print(f"  {text}"))
    spent_s = time.perf_counter() - began
    waited_s = sum(timed.spent_s for timed in simulator.made)
    training = refinement.steps_per_round * spec.rounds
    return {
        "task": task.name,
        "simulator": simulator.simulator.to_json(),
        "environments": spec.environments,
        "training_steps": training,
        "times_the_preset": round(training / preset_steps, 2),
        "seconds": round(spent_s, 1),
        "physics_share": round(waited_s / spent_s, 3),
        "base": result.base.rate.to_json(),
        "stronger_base": result.stronger.rate.to_json(),
        "refined": result.refined.rate.to_json(),
        "gain_interval": list(rate_difference_interval(result.stronger.rate, result.refined.rate)),
        "paired_p_value": paired_p_value(result.stronger.strict, result.refined.strict),
    }
