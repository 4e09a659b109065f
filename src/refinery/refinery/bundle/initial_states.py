"""Where insertions should start: the mixture over the successes and the success model that ranks its samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from refinery.bundle import strict_json
from refinery.bundle.files import SCHEMA
from refinery.errors import BundleError, RefineryError
from refinery.initial_state import THETA_NAMES, Box
from refinery.mixture import Mixture
from refinery.success_model import SuccessModel
from refinery.task import Task

RULES = ("mixture_ranked", "superlevel_ranked")
"""Start rules this version knows: draw from the mixture, take the draw the success model likes best. They differ in
what the mixture was fitted on: the successes, or the part of the box where the success model predicts most."""


@dataclass(frozen=True, kw_only=True)
class InitialStates:
    """Contents of ``initial_states.json``."""

    mixture: Mixture
    """Gaussian mixture to draw starts from; :attr:`rule` says what it was fitted on."""
    success_model: SuccessModel
    """Predicts the probability of success over the deployment box."""
    successes_k: int
    """Successes behind the fit."""
    successes_n: int
    """Trials they came from."""
    rule: str = "mixture_ranked"
    """How a start is chosen; one of :data:`RULES`."""
    selection: dict[str, Any] = field(default_factory=dict)
    """How the mixture was selected, for the report."""

    def __post_init__(self) -> None:
        """Validate counts and rule."""
        if not 0 < self.successes_k <= self.successes_n <= _MAX_TRIALS:
            got = strict_json.short({"k": self.successes_k, "n": self.successes_n})
            raise BundleError(f"successes: expected 0 < k <= n <= {_MAX_TRIALS}, got {got}; export the bundle again")
        if self.rule not in RULES:
            got = strict_json.short(self.rule)
            raise BundleError(f"rule: expected one of {RULES}, got {got}; export the bundle again")

    def to_json(self, task: Task) -> dict[str, Any]:
        """Return the file's contents for ``task``."""
        box = task.initial_state.deployed
        return {
            "schema": SCHEMA,
            "task": task.name,
            "task_hash": task.hash(),
            "theta_names": list(THETA_NAMES),
            "box": {"low": box.low.tolist(), "high": box.high.tolist()},
            "rule": self.rule,
            "successes": {"k": self.successes_k, "n": self.successes_n},
            "selection": self.selection,
            "mixture": self.mixture.to_json(),
            "success_model": self.success_model.to_json(),
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any], task: Task, source: object) -> InitialStates:
        """Read the file's contents, checked against ``task``.

        Raises:
            BundleError: With file, key, what was expected and what was found.
        """
        again = "export the bundle again"
        strict_json.want_equal(raw, "schema", SCHEMA, source, "use the Refinery version that wrote it, or export again")
        strict_json.want_keys(raw, _KEYS, source)
        strict_json.want_equal(raw, "task", task.name, source, "the files of this bundle belong to different tasks")
        strict_json.want_equal(raw, "task_hash", task.hash(), source, "the task has changed since; export again")
        strict_json.want_equal(raw, "theta_names", list(THETA_NAMES), source, again)
        box = task.initial_state.deployed
        corners = {"low": box.low.tolist(), "high": box.high.tolist()}
        strict_json.want_equal(raw, "box", corners, source, "the mixture was fitted over another box; export again")
        successes = strict_json.want(raw, "successes", dict, source)
        strict_json.want_keys(successes, ("k", "n"), f"{source}: successes")
        values: dict[str, Any] = {
            "mixture": _part(Mixture, raw, "mixture", box, source),
            "success_model": _part(SuccessModel, raw, "success_model", box, source),
            "successes_k": strict_json.want(successes, "k", int, f"{source}: successes"),
            "successes_n": strict_json.want(successes, "n", int, f"{source}: successes"),
            "rule": strict_json.want(raw, "rule", str, source),
            "selection": strict_json.want(raw, "selection", dict, source),
        }
        try:
            states = cls(**values)
        except BundleError as error:
            raise BundleError(f"{source}: {error}") from None
        _check_usable(states, source)
        return states


MAX_POINTS = 4000
"""Largest accepted number of components or of points of the success model (its memory grows with the square)."""
_MAX_TRIALS = 10**9
_KEYS = (
    "schema",
    "task",
    "task_hash",
    "theta_names",
    "box",
    "rule",
    "successes",
    "selection",
    "mixture",
    "success_model",
)
_TRIED = 64
"""Starts drawn to see whether the file can be used."""


def _part(kind: Any, raw: dict[str, Any], key: str, box: Box, source: object) -> Any:
    """Build the mixture or the success model, with every way it can be malformed as one kind of error."""
    part = strict_json.want(raw, key, dict, source)
    longest = max((len(value) for value in part.values() if isinstance(value, list)), default=0)
    if longest > MAX_POINTS:
        raise BundleError(f"{source}: {key}: expected at most {MAX_POINTS} entries, got {longest}")
    try:
        with np.errstate(all="ignore"):
            built = kind.from_json(part, box)
    except (RefineryError, *strict_json.MALFORMED) as error:
        got = strict_json.one_line(error)
        raise BundleError(f"{source}: {key}: expected a {kind.__name__}, got {got}; export again") from None
    # numpy reads "0.5" and None as numbers, and nobody reads the names of kind and coordinates: all must be as written.
    written = built.to_json()
    strict_json.want_keys(part, written, f"{source}: {key}")
    for name, value in written.items():
        if part[name] != value:
            strict_json.want_equal(part, name, value, f"{source}: {key}", "export the bundle again")
    return built


def _check_usable(states: InitialStates, source: object) -> None:
    """Draw starts and rank them once, as the nodes will: numbers can be finite one by one and useless together."""
    try:
        with np.errstate(all="ignore"):
            theta = states.mixture.sample(_TRIED, np.random.default_rng(0))
            likelihood = states.mixture.log_likelihood(theta)
            predicted = states.success_model.predict(theta)
    except (RefineryError, *strict_json.MALFORMED) as error:
        got = strict_json.one_line(error)
        raise BundleError(f"{source}: mixture: expected one to draw starts from, got {got}; export again") from None
    for key, values in (("mixture", likelihood), ("success_model", predicted.mean), ("success_model", predicted.std)):
        if not np.all(np.isfinite(values)):
            raise BundleError(f"{source}: {key}: expected finite values over the box, got others; export again")
