"""Whether the policy knows an observation: checked in every tick, in microseconds, against the bundle's statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import ObservationStatistics
from refinery.observation import TERMS

_AXES = ("x", "y", "z", "rx", "ry", "rz")
_LABELS = tuple(
    (f"{term.name} {_AXES[i]}" if term.size > 1 else term.name, term.unit) for term in TERMS for i in range(term.size)
)


class OutOfDistributionDetector:
    """Compares observations with those of the policy's evaluation and counts how many in a row were outside.

    One matrix holds the scaled bounds and the whitening, so that a check is one product, two extrema and one sum over
    arrays made once.

    Args:
        statistics: From the bundle.
    """

    def __init__(self, statistics: ObservationStatistics) -> None:
        self._statistics = statistics
        size = len(statistics.mean)
        centre, half = (statistics.high + statistics.low) / 2, (statistics.high - statistics.low) / 2
        whitening = statistics.whitening / (statistics.std * statistics.max_distance)
        # The last column takes the offsets away: it meets a value that is always 1.
        offset = -np.concatenate([centre / half, whitening @ statistics.mean])
        self._matrix = np.column_stack([np.vstack([np.diag(1.0 / half), whitening]), offset])
        self._input = np.ones(size + 1)
        self._x = self._input[:size]
        self._scaled = np.empty(2 * size)
        # Parts of the same memory: shares of the bounds, and of the largest distance.
        self._ranges, self._distances = self._scaled[:size], self._scaled[size:]
        self._outside = 0

    def reset(self) -> None:
        """Forget what was outside: a new episode starts."""
        self._outside = 0

    def check_start(self, observation: NDArray[np.floating]) -> str:
        """Compare the first observation of an episode with the bounds alone.

        That it comes first makes it an unusual combination, which calibration, made for lasting ones, says nothing of.

        Args:
            observation: Shape (1, N) or (N,).

        Returns:
            An empty string, or the value farthest outside with its bounds.
        """
        return "" if self._bounded(observation) else self._beyond_bounds()

    def check(self, observation: NDArray[np.floating]) -> str:
        """Compare one observation with the statistics.

        Args:
            observation: Shape (1, N) or (N,).

        Returns:
            An empty string if it is inside, or the value that is farthest outside, with its bounds.
        """
        if not self._bounded(observation):
            return self._beyond_bounds()
        return "" if self._distances.dot(self._distances) <= 1.0 else self._beyond_distance()

    def watch(self, observation: NDArray[np.floating]) -> str:
        """Count an observation of a running episode.

        Args:
            observation: Shape (1, N) or (N,).

        Returns:
            An empty string, or why to stop: this one and those before it were outside, so many in a row as the limits
            were calibrated for.
        """
        problem = self.check(observation)
        self._outside = self._outside + 1 if problem else 0
        return f"{problem}, {self._outside} ticks in a row" if self._outside >= self._statistics.ticks else ""

    def _bounded(self, observation: NDArray[np.floating]) -> bool:
        """Scale an observation and tell whether every value is between its bounds."""
        self._x[:] = observation.ravel()
        self._matrix.dot(self._input, self._scaled)
        shares = self._ranges
        # argmax() and argmin() cost half of max() and min(). They find a value that is no number, which is outside.
        return bool(shares.item(shares.argmax()) <= 1.0 and shares.item(shares.argmin()) >= -1.0)

    def _beyond_bounds(self) -> str:
        shares = np.nan_to_num(np.abs(self._ranges), nan=0.0)
        worst = int(np.argmax(np.where(np.isfinite(self._x), shares, np.inf)))
        name, unit = _LABELS[worst]
        low, high = self._statistics.low[worst], self._statistics.high[worst]
        return (
            f"observation {name}: {self._x[worst]:.3g} (unit: {unit}), never seen in the policy's evaluation, which "
            f"stayed within {low:.3g} to {high:.3g}"
        )

    def _beyond_distance(self) -> str:
        """Name the value whose deviation, as the others go, adds most to the distance."""
        statistics = self._statistics
        scaled = (self._x - statistics.mean) / statistics.std
        worst = int(np.argmax(scaled * (statistics.whitening.T @ (statistics.whitening @ scaled))))
        distance, limit = float(np.linalg.norm(self._distances)) * statistics.max_distance, statistics.max_distance
        name, unit = _LABELS[worst]
        return (
            f"observation: an unknown combination, distance {distance:.3g}, the limit is {limit:.3g}; most of it is "
            f"{name}: {self._x[worst]:.3g} (unit: {unit}), which is {statistics.mean[worst]:.3g} +- "
            f"{statistics.std[worst]:.2g} in the policy's evaluation"
        )
