"""Computes a recorded insertion again and compares; or asks another policy what it would have done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinery.action import ACTION_NAMES
from refinery.bundle import Bundle, load_bundle
from refinery.bundle.files import MANIFEST
from refinery.errors import ConfigError
from refinery.observation import OBSERVATION_NAMES
from refinery.processor import processor
from refinery.tick.guard import Level
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.tick_result import TickResult
from refinery_evaluation.replaying.episode import Episode, inputs_of
from refinery_msgs.msg import PolicyTick

TOLERANCE = 1e-4
"""On another type of processor results may differ by so much, in the units of observation, action and target."""
_TARGET = ("x", "y", "z", "qx", "qy", "qz", "qw")


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Where a replay first comes to something else."""

    step: int
    """Policy step, from 1."""
    what: str
    """The first quantity of the step that differs: guard, observation, action or target, and which of its numbers."""
    recorded: str
    """As recorded."""
    replayed: str
    """As computed now."""

    def __str__(self) -> str:
        return f"step {self.step}: {self.what}: recorded {self.recorded}, computed {self.replayed}"


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What came of a replay."""

    steps: int
    """Steps that were compared."""
    missing: tuple[int, ...]
    """Steps that were not recorded."""
    tolerance: float
    """Differences up to this count as none; 0: to the last bit."""
    difference: Difference | None
    """The first one; None if there is none."""
    largest: float
    """Largest difference of a number of observation, action or target."""

    @property
    def exact(self) -> bool:
        """Whether all steps were recorded and came out the same to the last bit."""
        return self.difference is None and not self.missing and self.largest == 0.0

    def __str__(self) -> str:
        if self.difference is not None:
            return f"differs at {self.difference}"
        how = (
            "to the last bit" if self.largest == 0.0 else f"within {self.largest:.1e} (tolerance {self.tolerance:.0e})"
        )
        lost = f"; incomplete: {len(self.missing)} steps from {self.missing[0]} on are missing" if self.missing else ""
        return f"{self.steps} steps the same {how}{lost}"


def bundle_of(episode: Episode, path: Path | None = None) -> Bundle:
    """Load the bundle that an insertion ran.

    Args:
        episode: The insertion.
        path: Where it is now; where it was, if None.

    Raises:
        RefineryError: It is not there, or is another one.
    """
    path = Path(episode.about.bundle) if path is None else path
    bundle = load_bundle(path)
    found = hashlib.sha256((path / MANIFEST).read_bytes()).hexdigest()
    if found != episode.about.bundle_hash:
        hint = "name the one that ran (--bundle), or use --policy to ask another policy"
        raise ConfigError(path, MANIFEST, f"SHA-256 {episode.about.bundle_hash}", found, hint)
    return bundle


def compute(episode: Episode, bundle: Bundle) -> list[TickResult]:
    """Run the recorded steps through a policy and a guard with the recorded settings.

    Args:
        episode: The insertion.
        bundle: Whose policy is asked; its own, to repeat it.

    Returns:
        A result for each whole step, with copies of the observations.

    Raises:
        ConfigError: The bundle solves another task, or refuses to start where this insertion did.
    """
    if bundle.task.hash() != episode.about.task_hash:
        raise ConfigError(bundle.path, "task_hash", episode.about.task_hash, bundle.task.hash(), "the tasks differ")
    runtime = PolicyRuntime(
        bundle, episode.guard_settings(bundle.task), episode.start_tolerance(bundle.task), episode.fade_in_s
    )
    ticks = episode.whole()
    if not ticks:
        raise ConfigError("replay", "steps", "the first step", "none", "without it no later one can be computed")
    decision = runtime.start(inputs_of(ticks[0]), episode.grasp, episode.reference)
    if decision.level is not Level.OK:
        raise ConfigError(bundle.path, "start", "one that is accepted, as it was", decision.message, "")
    results = []
    for tick in ticks:
        result = runtime.tick(inputs_of(tick), late_s=tick.late_s, missed=tick.missed)
        if result.observation is not None:
            result.observation = result.observation.copy()
        results.append(result)
    return results


def replay(episode: Episode, bundle: Bundle) -> Replay:
    """Compute an insertion again and compare every step.

    Args:
        episode: The insertion.
        bundle: What it ran, see :func:`bundle_of`.
    """
    tolerance = 0.0 if processor() == episode.about.processor else TOLERANCE
    first, largest = None, 0.0
    results = compute(episode, bundle)
    for tick, result in zip(episode.whole(), results, strict=True):
        difference, size = _compare(tick, result, tolerance)
        first = first or difference
        largest = max(largest, size)
    return Replay(
        steps=len(results),
        missing=tuple(episode.missing),
        tolerance=tolerance,
        difference=first,
        largest=largest,
    )


def _compare(tick: PolicyTick, result: TickResult, tolerance: float) -> tuple[Difference | None, float]:
    """Return the first difference of a step over the tolerance, in the order computed, and the size of the largest."""
    largest = 0.0
    pairs = (
        ("observation", OBSERVATION_NAMES, tick.observation, _or_empty(result.observation)),
        ("action", ACTION_NAMES, tick.action if tick.acted else (), _or_empty(result.action)),
        ("target", _TARGET, tick.target, np.array([*result.target.xyz_m, *result.target.xyzw])),
    )
    found: Difference | None = None
    recorded = (int(tick.level), int(tick.reason.value))
    replayed = (int(result.decision.level), int(result.decision.reason))
    for what, names, before, after in pairs:
        old, new = np.asarray(before), np.asarray(after)
        if old.shape != new.shape:
            found = found or _difference(tick, what, f"{old.size} numbers", f"{new.size}")
            continue
        if old.size == 0 or np.array_equal(old, new, equal_nan=True):
            continue
        apart = np.nan_to_num(np.abs(old.astype(float) - new), nan=np.inf)
        largest = max(largest, float(apart.max()))
        if apart.max() > tolerance:
            worst = int(np.argmax(apart > tolerance))
            found = found or _difference(
                tick, f"{what} {names[worst]}", repr(float(old[worst])), repr(float(new[worst]))
            )
    if recorded != replayed:
        found = found or _difference(tick, "guard (level, reason)", str(recorded), str(replayed))
    return found, largest


def _difference(tick: PolicyTick, what: str, recorded: str, replayed: str) -> Difference:
    return Difference(step=tick.step, what=what, recorded=recorded, replayed=replayed)


def _or_empty(values: NDArray[np.float32] | list[float] | None) -> NDArray[np.float64]:
    return np.zeros(0) if values is None else np.asarray(values).reshape(-1)
