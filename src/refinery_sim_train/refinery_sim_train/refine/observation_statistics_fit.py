"""Fit the statistics that detect out-of-distribution observations, on a policy's own episodes, with few false stops.

Whole episodes are split into three parts: bounds, mean and covariance come from the first part; the second sets
the limits so that hardly any of its episodes is stopped; the third, used for nothing else, counts the false stops.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import ObservationStatistics
from refinery.observation import TERMS
from refinery.rotations import Array
from refinery.statistics import Rate

FALSE_STOPS = 0.005
"""Largest accepted share of the policy's own episodes that the statistics may stop."""
_SHARES = (0.35, 0.45)
"""Shares of the episodes for the fit and for the calibration; the rest is held out."""
_TICKS = 3
"""Observations outside in a row that stop: a fifth of a second at 15 Hz; a single outlier does not stop."""
_QUANTILE = 0.001
"""Lower quantile of a value that its bounds start from; the upper one is its opposite."""
_BOUND_FACTOR, _DISTANCE_FACTOR = 1.1, 1.25
"""Factors of the limits over those calibrated, since a real cell differs from training."""
_FLOORS = {"plug_pos_coarse": (0.8, 0.8, 0.5), "plug_rotvec": (0.5, 0.5, 0.5)}
"""Least margins beyond the quantiles: the node lets an insertion start 7 mm (with 2 mm of jitter) and 0.05 rad outside
the deployment box, and sideways the quantiles are a little inside it."""
_RIDGE = 1e-3
"""Added to the correlation's diagonal, so that values that never vary apart do not count without bound."""
_LEAST = 1e-3
"""Least half-range and standard deviation of a value, so that a constant in training may vary a little."""


@dataclass(frozen=True, kw_only=True)
class _Split:
    """Episodes (T, n, N) for the three uses."""

    fit: NDArray[np.float32]
    calibration: NDArray[np.float32]
    held_out: NDArray[np.float32]


def needed_episodes(false_stops: float | None = None) -> int:
    """Return how many episodes it takes to promise that at most this share is stopped (default :data:`FALSE_STOPS`).

    A new episode scores above the highest of n of its like with probability 1 / (n + 1).
    """
    limit = FALSE_STOPS if false_stops is None else false_stops
    return int(np.ceil((1 / limit - 1) / _SHARES[1]))


def fit_observation_statistics(
    episodes: NDArray[np.float32], false_stops: float | None = None
) -> ObservationStatistics | None:
    """Fit the observation statistics of a policy.

    Args:
        episodes: Observations of whole episodes, successes and failures as they came, shape (T, n, N).
        false_stops: Largest accepted share of stopped episodes, (0, 1); :data:`FALSE_STOPS` if None.

    Returns:
        The statistics with the evidence for them; None if there are too few episodes to promise ``false_stops``, or if
        those held out are stopped more often.
    """
    limit = FALSE_STOPS if false_stops is None else false_stops
    count = episodes.shape[1]
    if count < needed_episodes(limit) or episodes.shape[0] < _TICKS:
        return None
    split = _split(episodes)
    statistics = _calibrated(split, limit)
    stopped, refused = Rate.of(statistics.stops(split.held_out)), Rate.of(~statistics.bounded(split.held_out[0]))
    if max(stopped.interval[0], refused.interval[0]) > limit:
        return None
    evidence = {
        "false_stops": stopped.to_json(),
        "refused_starts": refused.to_json(),
        "fit_episodes": split.fit.shape[1],
        "calibration_episodes": split.calibration.shape[1],
        "promised": limit,
    }
    return replace(statistics, evidence=evidence)


def _split(episodes: NDArray[np.float32]) -> _Split:
    """Split the episodes at random: neighbours in the array ran in one group."""
    order = np.random.default_rng(0).permutation(episodes.shape[1])
    first, second = (np.cumsum(_SHARES) * len(order)).astype(int)
    parts = (order[:first], order[first:second], order[second:])
    fit, calibration, held_out = (episodes[:, part] for part in parts)
    return _Split(fit=fit, calibration=calibration, held_out=held_out)


def _calibrated(split: _Split, limit: float) -> ObservationStatistics:
    """Fit on the first part, then move both limits out by one factor until the second part keeps the promise."""
    rows = split.fit.reshape(-1, split.fit.shape[-1]).astype(np.float64)
    low, high = np.quantile(rows, [_QUANTILE, 1 - _QUANTILE], axis=0)
    centre, half = (low + high) / 2, np.maximum((high - low) / 2, _LEAST)
    mean, std = rows.mean(axis=0), np.maximum(rows.std(axis=0), _LEAST)
    scaled = (rows - mean) / std
    correlation = scaled.T @ scaled / len(scaled) + _RIDGE * np.eye(len(mean))
    statistics = ObservationStatistics(
        low=centre - half,
        high=centre + half,
        mean=mean,
        std=std,
        whitening=np.linalg.cholesky(np.linalg.inv(correlation)).T,
        max_distance=1.0,
        ticks=_TICKS,
    )

    def scores(episodes: NDArray[np.float32]) -> tuple[Array, Array]:
        return np.abs((episodes - centre) / half).max(axis=-1), statistics.distance(episodes)

    # What one episode in a hundred exceeds makes the two scores comparable.
    ranges, distances = (float(np.quantile(_sustained(score), 0.99)) for score in scores(split.fit))
    ratio, distance = scores(split.calibration)
    worst = np.sort(_sustained(np.maximum(ratio / ranges, distance / distances)))
    factor = max(1.0, float(worst[-max(1, int(limit * (len(worst) + 1)))]))
    reach = np.maximum(_BOUND_FACTOR * factor * ranges * half, half + _floors())
    return replace(
        statistics,
        low=centre - reach,
        high=centre + reach,
        max_distance=_DISTANCE_FACTOR * factor * distances,
    )


def _sustained(score: Array) -> Array:
    """Largest value that a score (T, n) keeps for :data:`_TICKS` observations in a row, shape (n,)."""
    windows = np.lib.stride_tricks.sliding_window_view(score, _TICKS, axis=0)
    return np.asarray(windows.min(axis=-1).max(axis=0))


def _floors() -> Array:
    return np.concatenate([np.asarray(_FLOORS.get(term.name, (0.0,) * term.size)) for term in TERMS])
