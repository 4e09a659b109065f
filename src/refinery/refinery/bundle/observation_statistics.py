"""Statistics of observations: what the policy saw in its own evaluation, and how far from it is too far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import strict_json
from refinery.bundle.files import SCHEMA
from refinery.config import to_mapping
from refinery.errors import BundleError
from refinery.observation import OBSERVATION_SIZE, TERMS
from refinery.rotations import Array
from refinery.task import Task

MAX_TICKS = 100
"""Largest accepted number of observations outside in a row before a stop."""
MAX_VALUE = 1e6
"""Largest accepted magnitude of any number: the terms are of order one, and nothing may overflow."""
_VECTORS = ("low", "high", "mean", "std")
_NAMES = tuple(f"{term.name}[{i}]" for term in TERMS for i in range(term.size))


@dataclass(frozen=True, kw_only=True)
class ObservationStatistics:
    """Contents of ``envelope.json``.

    An observation x is inside if every value lies between ``low`` and ``high`` and the distance
    ``|whitening @ ((x - mean) / std)|`` is at most ``max_distance``. The bounds catch single values that were never
    seen, the distance catches values that were never seen together.
    """

    low: Array
    """Lower bound of every value, shape (N,), units of :data:`refinery.observation.TERMS`."""
    high: Array
    """Upper bound of every value, shape (N,)."""
    mean: Array
    """Mean of every value, shape (N,)."""
    std: Array
    """Standard deviation of every value, shape (N,), > 0."""
    whitening: Array
    """Root of the inverse correlation of the values, shape (N, N)."""
    max_distance: float
    """Largest distance that is still inside, > 0."""
    ticks: int
    """So many observations outside in a row are a reason to stop, 1 to :data:`MAX_TICKS`."""
    evidence: dict[str, Any] = field(default_factory=dict)
    """Episodes behind it, and how many of those held out it would have stopped, for the report."""

    def __post_init__(self) -> None:
        """Validate shapes and ranges."""
        size = OBSERVATION_SIZE
        for name, shape in (*((name, (size,)) for name in _VECTORS), ("whitening", (size, size))):
            value = getattr(self, name)
            if value.shape != shape:
                raise BundleError(f"{name}: expected the shape {shape}, got {value.shape}; export the bundle again")
            if not np.all(np.abs(value) <= MAX_VALUE):
                raise BundleError(f"{name}: expected finite numbers up to {MAX_VALUE:g}, got others; export again")
        wrong = np.flatnonzero(self.low >= self.high)
        if len(wrong):
            raise BundleError(f"high: expected each above its low, got {_NAMES[wrong[0]]} with none between")
        if not np.all(self.std > 0):
            raise BundleError("std: expected positive numbers, got others; export the bundle again")
        if not 0 < self.max_distance <= MAX_VALUE:
            got = strict_json.short(self.max_distance)
            raise BundleError(f"max_distance: expected a positive number up to {MAX_VALUE:g}, got {got}; export again")
        if not 1 <= self.ticks <= MAX_TICKS:
            got = strict_json.short(self.ticks)
            raise BundleError(f"ticks: expected 1 to {MAX_TICKS}, got {got}; export the bundle again")

    def distance(self, observation: NDArray[np.floating]) -> Array:
        """Return the distances of observations (..., N) from the mean, shape (...)."""
        scaled = (np.asarray(observation, dtype=np.float64) - self.mean) / self.std
        return np.asarray(np.linalg.norm(scaled @ self.whitening.T, axis=-1))

    def inside(self, observation: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Tell which observations (..., N) are inside, shape (...)."""
        return np.asarray(self.bounded(observation) & (self.distance(observation) <= self.max_distance))

    def bounded(self, observation: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Tell of which observations (..., N) every value is between its bounds, shape (...)."""
        return np.asarray(np.all((observation >= self.low) & (observation <= self.high), axis=-1))

    def stops(self, episodes: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Tell which episodes (T, n, N) hold ``ticks`` observations outside in a row, shape (n,)."""
        outside = ~self.inside(episodes)
        row, stopped = np.zeros(outside.shape[1], dtype=np.int64), np.zeros(outside.shape[1], dtype=bool)
        for now in outside:
            row = np.where(now, row + 1, 0)
            stopped |= row >= self.ticks
        return stopped

    def to_json(self, task: Task) -> dict[str, Any]:
        """Return the file's contents for ``task``."""
        arrays = {name: getattr(self, name).tolist() for name in (*_VECTORS, "whitening")}
        return {
            "schema": SCHEMA,
            "task": task.name,
            "task_hash": task.hash(),
            "terms": to_mapping(TERMS),
            **arrays,
            "max_distance": self.max_distance,
            "ticks": self.ticks,
            "evidence": self.evidence,
        }

    @classmethod
    def from_json(cls, raw: dict[str, Any], task: Task, source: object) -> ObservationStatistics:
        """Read the file's contents, checked against ``task`` and this version's observation.

        Raises:
            BundleError: With file, key, what was expected and what was found.
        """
        strict_json.want_equal(raw, "schema", SCHEMA, source, "use the Refinery version that wrote it, or export again")
        strict_json.want_keys(raw, _KEYS, source)
        strict_json.want_equal(raw, "task", task.name, source, "the files of this bundle belong to different tasks")
        strict_json.want_equal(raw, "task_hash", task.hash(), source, "the task has changed since; export again")
        strict_json.want_equal(raw, "terms", to_mapping(TERMS), source, "it is of another observation; export again")
        arrays = {name: _numbers(raw, name, 1, source) for name in _VECTORS}
        try:
            return cls(
                **arrays,
                whitening=_numbers(raw, "whitening", 2, source),
                max_distance=float(strict_json.want(raw, "max_distance", (int, float), source)),
                ticks=strict_json.want(raw, "ticks", int, source),
                evidence=strict_json.want(raw, "evidence", dict, source),
            )
        except BundleError as error:
            raise BundleError(str(error) if str(source) in str(error) else f"{source}: {error}") from None
        except OverflowError:
            raise BundleError(f"{source}: max_distance: expected a positive number, got a huge one") from None


_KEYS = ("schema", "task", "task_hash", "terms", *_VECTORS, "whitening", "max_distance", "ticks", "evidence")


def _numbers(raw: dict[str, Any], key: str, depth: int, source: object) -> Array:
    """Return a list of numbers, or of lists of numbers; numpy alone would read texts and None as numbers too."""
    value = strict_json.want(raw, key, list, source)
    rows = value if depth == 2 else [value]
    right = len(rows) in (1, OBSERVATION_SIZE) and all(
        isinstance(row, list)
        and len(row) == OBSERVATION_SIZE
        and all(type(item) in (int, float) and abs(item) <= MAX_VALUE for item in row)
        for row in rows
    )
    if not right:
        what = f"{OBSERVATION_SIZE} numbers" if depth == 1 else f"{OBSERVATION_SIZE} rows of as many numbers"
        got = strict_json.short(value)
        raise BundleError(f"{source}: {key}: expected {what} up to {MAX_VALUE:g}, got {got}; export the bundle again")
    return np.asarray(value, dtype=np.float64)
