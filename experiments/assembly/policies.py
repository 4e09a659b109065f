"""Policies of the steps of a sequence, and how each condition starts an insertion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinery.bundle import Bundle, load_bundle
from refinery.bundled_task import check_same_task
from refinery.initial_state import GRASP
from refinery.observation import OBSERVATION_SIZE
from refinery.rotations import Array
from refinery.sequence.sequence import Sequence
from refinery.sequence.step import StepSpec
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery.tick.guard import GuardSettings
from refinery.tick.runtime import PolicyRuntime
from refinery_sim.part import part_geometry
from refinery_sim.task import named_task
from refinery_sim_train.export_onnx import export_policy
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base

_CANDIDATES = 256
"""Draws from a bundle's mixture that its success model ranks, as the sampler node does for one state."""
_UNHURRIED_S = 60.0
"""Deadline of a tick, [s]: how busy the machine is must not change a figure."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is compared."""

    name: str
    """For people and results."""
    bundles: Path | None = None
    """Folder with one bundle per step, by the step's ``bundle`` or else its task's name; None: the shipped base
    policies."""
    chosen: bool = False
    """Whether starts are chosen by the bundle; else they are uniform over the deployment box."""


@dataclass(frozen=True, kw_only=True, eq=False)
class StepPolicy:
    """The policy of one step, ready to run."""

    runtime: PolicyRuntime
    """Its tick."""
    draw: Callable[[np.random.Generator], Array]
    """Draws where an insertion is to start, shape (1, 9)."""

    def start(self, rng: np.random.Generator) -> Array:
        """Return an initial state, shape (1, 9); the grasp is as intended, for that is all that is known of it."""
        theta = self.draw(rng)
        theta[:, GRASP] = 0.0
        return theta


def load_policies(sequence: Sequence, condition: Condition) -> dict[str, StepPolicy]:
    """Return the policies of a sequence by step.

    Raises:
        RefineryError: Weights or a bundle are missing, cannot be used, or are for another task than their step's.
    """
    loaded: dict[str, StepPolicy] = {}
    for step in sequence.steps:
        key = step.bundle or step.task
        if key not in loaded:
            task = named_task(step.task)
            loaded[key] = _shipped(task) if condition.bundles is None else _bundled(condition, step, task)
    return {step.name: loaded[step.bundle or step.task] for step in sequence.steps}


def _shipped(task: Task) -> StepPolicy:
    seen = np.random.default_rng(0).normal(size=(4, 2, OBSERVATION_SIZE)).astype(np.float32)
    content, _ = export_policy(load_weights(shipped_base(task), task, WeightsArgs()), task, seen)
    with tempfile.TemporaryDirectory() as folder:
        # A bundle's other contents are about starts, which are uniform here.
        bundle = load_bundle(tiny_bundle(Path(folder) / task.name, task, content, part=part_geometry(task)))
    return StepPolicy(runtime=_runtime(bundle), draw=_uniform(task))


def _runtime(bundle: Bundle) -> PolicyRuntime:
    return PolicyRuntime(bundle, GuardSettings.for_task(bundle.task, deadline_s=_UNHURRIED_S))


def _bundled(condition: Condition, step: StepSpec, task: Task) -> StepPolicy:
    assert condition.bundles is not None
    bundle = load_bundle(condition.bundles / (step.bundle or step.task))
    check_same_task(bundle.task, task, str(bundle.path), f"step {step.name}")
    runtime = _runtime(bundle)
    if not condition.chosen:
        return StepPolicy(runtime=runtime, draw=_uniform(task))
    states = bundle.initial_states

    def best(rng: np.random.Generator) -> Array:
        drawn = states.mixture.sample(_CANDIDATES, rng)
        drawn[:, GRASP] = 0.0
        predicted, likelihood = states.success_model.predict(drawn), states.mixture.log_likelihood(drawn)
        order = np.lexsort((-likelihood, -predicted.low, -predicted.mean))
        return np.array(drawn[order[:1]])

    return StepPolicy(runtime=runtime, draw=best)


def _uniform(task: Task) -> Callable[[np.random.Generator], Array]:
    return lambda rng: task.initial_state.deployed.uniform(1, rng)
