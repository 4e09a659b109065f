"""Policies of the steps of a sequence, and how each condition starts an insertion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinery.bundle import Bundle, load_bundle
from refinery.errors import RefineryError
from refinery.initial_state import GRASP
from refinery.rotations import Array
from refinery.sequence.sequence import Sequence
from refinery.sequence.step import StepSpec
from refinery.tick.runtime import PolicyRuntime
from refinery_sim.task import named_task

_CANDIDATES = 256
"""Draws from a bundle's mixture that its success model ranks, as the sampler node does for one state."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is compared."""

    name: str
    """For people and results."""
    bundles: Path
    """Folder with one bundle per step, by the step's ``bundle`` or else its task's name."""
    chosen: bool = False
    """Whether starts are chosen by the bundle; else they are uniform over the deployment box."""


class StepPolicy:
    """The policy of one step, ready to run.

    Args:
        bundle: Its bundle.
        chosen: As :attr:`Condition.chosen`.
    """

    def __init__(self, bundle: Bundle, *, chosen: bool) -> None:
        self.runtime = PolicyRuntime(bundle)
        self._bundle, self._chosen = bundle, chosen

    def start(self, rng: np.random.Generator) -> Array:
        """Return an initial state, shape (1, 9); the grasp is as intended, for that is all that is known of it."""
        if not self._chosen:
            theta = self._bundle.task.initial_state.deployed.uniform(1, rng)
        else:
            states = self._bundle.initial_states
            drawn = states.mixture.sample(_CANDIDATES, rng)
            drawn[:, GRASP] = 0.0
            predicted, likelihood = states.success_model.predict(drawn), states.mixture.log_likelihood(drawn)
            best = np.lexsort((-likelihood, -predicted.low, -predicted.mean))[0]
            theta = drawn[best : best + 1]
        theta[:, GRASP] = 0.0
        return theta


def load_policies(sequence: Sequence, condition: Condition) -> dict[str, StepPolicy]:
    """Return the policies of a sequence by step.

    Raises:
        RefineryError: A bundle is missing, cannot be used, or is for another task than its step's.
    """
    loaded: dict[Path, StepPolicy] = {}
    found = {}
    for step in sequence.steps:
        path = bundle_path(condition.bundles, step)
        if path not in loaded:
            bundle = load_bundle(path)
            task = named_task(step.task)
            if bundle.task.hash() != task.hash():
                raise RefineryError(
                    f"{path}: expected a bundle for task {task.name} ({task.hash()[:12]}) of step {step.name}, "
                    f"got one for {bundle.task.name} ({bundle.task.hash()[:12]}); export it again for that task"
                )
            loaded[path] = StepPolicy(bundle, chosen=condition.chosen)
        found[step.name] = loaded[path]
    return found


def bundle_path(folder: Path, step: StepSpec) -> Path:
    """Return the directory of a step's bundle."""
    return folder / (step.bundle or step.task)
