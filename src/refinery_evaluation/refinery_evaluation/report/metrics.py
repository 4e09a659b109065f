"""Figures derived from a run: which dimensions matter, how the worst starts fared, what was predicted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import qmc

from refinery.initial_state import Array
from refinery.statistics import Rate
from refinery.success_model import SuccessModel
from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.formatting import Dimension, free_dimensions

_CHUNK = 2048
_DRAWS = 16


@dataclass(frozen=True, kw_only=True)
class RateBin:
    """Outcomes of the episodes that fall into one bin."""

    centre: float
    """Position of the bin on its axis (mean prediction, or middle in the unit shown)."""
    rate: Rate
    """Their success."""

    @property
    def holds(self) -> bool:
        """The interval of the outcomes contains ``centre`` (for predictions)."""
        low, high = self.rate.interval
        return low <= self.centre <= high


def map_dimensions(data: DemoData) -> tuple[Dimension, ...]:
    """Return the (at most two) dimensions along which the base model changes fastest: the shortest length scales."""
    dims = free_dimensions(data.box)
    order = np.argsort(data.base_model.length_scales, kind="stable")
    return tuple(dims[i] for i in order[:2])


def predict(model: SuccessModel, theta: Array) -> Array:
    """Return the predicted success (B,) of theta (B, 9), in chunks that keep memory small."""
    return np.concatenate([model.predict(theta[i : i + _CHUNK]).mean for i in range(0, len(theta), _CHUNK)])


def surface(model: SuccessModel, across: Dimension, up: Dimension, cells: int = 25) -> tuple[Array, Array, Array]:
    """Return predicted success over two dimensions, averaged over all others.

    Args:
        model: The success model.
        across: Dimension of the columns.
        up: Dimension of the rows.
        cells: Grid points per dimension.

    Returns:
        Columns and rows in the units shown, each (cells,), and success (cells, cells) in [0, 1].
    """
    box = model.box
    axis = np.linspace(0.0, 1.0, cells)
    others = qmc.Sobol(len(box.free), scramble=True, seed=0).random(_DRAWS)
    unit = np.tile(others, (cells * cells, 1))
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    unit[:, up.column] = np.repeat(rows.ravel(), _DRAWS)
    unit[:, across.column] = np.repeat(columns.ravel(), _DRAWS)
    mean = predict(model, box.from_unit(unit)).reshape(cells, cells, _DRAWS).mean(axis=2)
    line = box.from_unit(np.tile(axis[:, None], (1, len(box.free))))
    return across.shown(line), up.shown(line), mean


def worst_fifth(data: DemoData) -> tuple[Rate, Rate] | None:
    """Return success before and after on the fifth of the test starts of lowest success by the base model.

    The base model was fitted on other episodes, so the choice favours neither policy. None with too few episodes.
    """
    rates = []
    for theta, strict in ((data.base_theta, data.before_strict), (data.refined_theta, data.refined_strict)):
        count = len(theta) // 5
        if count < 10:
            return None
        worst = np.argsort(predict(data.base_model, theta), kind="stable")[:count]
        rates.append(Rate.of(strict[worst]))
    return rates[0], rates[1]


def calibration(model: SuccessModel, theta: Array, strict: NDArray[np.bool_], bins: int = 8) -> tuple[RateBin, ...]:
    """Return observed success in bins of equally many episodes by prediction; ``centre`` is the mean prediction."""
    predicted = predict(model, theta)
    order = np.argsort(predicted, kind="stable")
    parts = [part for part in np.array_split(order, min(bins, len(theta))) if len(part)]
    return tuple(RateBin(centre=float(predicted[part].mean()), rate=Rate.of(strict[part])) for part in parts)


def along(
    data: DemoData, dim: Dimension, theta: Array, strict: NDArray[np.bool_], bins: int = 8
) -> tuple[RateBin, ...]:
    """Return success in bins of equal width along one dimension; empty bins are left out."""
    low, high = data.box.low[dim.index] * dim.factor, data.box.high[dim.index] * dim.factor
    edges = np.linspace(low, high, bins + 1)
    member = np.clip(np.digitize(dim.shown(theta), edges) - 1, 0, bins - 1)
    middle = (edges[:-1] + edges[1:]) / 2
    found = [(middle[i], strict[member == i]) for i in range(bins)]
    return tuple(RateBin(centre=float(m), rate=Rate.of(part)) for m, part in found if len(part))


def spread_points(bins: tuple[RateBin, ...]) -> float:
    """Return the difference between the best and the worst bin in percentage points."""
    values = [b.rate.value for b in bins]
    return 100 * (max(values) - min(values)) if values else 0.0


def flips(data: DemoData) -> tuple[int, int] | None:
    """Return how many test starts refining turned from failure to success and the other way; None if not paired."""
    if not data.paired:
        return None
    before, after = data.base_strict, data.refined_strict
    return int(np.sum(~before & after)), int(np.sum(before & ~after))


def entropy_bits(rate: float) -> float:
    """Return the entropy of an outcome of this success rate, [bit]: the most that a prediction could gain."""
    if rate <= 0 or rate >= 1:
        return 0.0
    return float(-rate * np.log2(rate) - (1 - rate) * np.log2(1 - rate))
