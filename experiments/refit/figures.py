"""What held-out trials say of a refit: are its starts better, and its predictions?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from refinery.statistics import PairedComparison, Rate

CONDITIONS = ("old", "refitted", "uniform")
"""Where a held-out trial starts: where the simulated model, or the refitted one, predicts most, or anywhere."""


def figures(blocks: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Compute the figures.

    Args:
        blocks: Held-out trials, each condition of a block on the same cell; by condition whether it was ``won``, and
            for uniform starts what both models ``said``.

    Returns:
        Success by condition, the refitted against the old starts, and the predictions' squared errors where starts
        were uniform.
    """
    won = {name: np.array([block[name]["won"] for block in blocks], dtype=bool) for name in CONDITIONS}
    pairs = PairedComparison.of(won["old"], won["refitted"])
    said = {name: np.array([block["uniform"]["said"][name] for block in blocks]) for name in CONDITIONS[:2]}
    errors = {name: (values - won["uniform"]) ** 2 for name, values in said.items()}
    return {
        "held_out_blocks": len(blocks),
        "same_start": int(sum(block["old"]["theta"] == block["refitted"]["theta"] for block in blocks)),
        "success": {name: Rate.of(values).to_json() for name, values in won.items()},
        "only_old": pairs.only_first,
        "only_refitted": pairs.only_second,
        "difference_points": round(100 * pairs.difference, 1),
        "interval_points": [round(100 * end, 1) for end in pairs.interval],
        "mcnemar_p": round(pairs.p_value, 4),
        "predicted_uniform": {name: round(float(values.mean()), 3) for name, values in said.items()},
        "brier_uniform": {name: round(float(values.mean()), 4) for name, values in errors.items()},
        "brier_difference": _mean_interval(errors["refitted"] - errors["old"]),
    }


def _mean_interval(values: ArrayLike) -> list[float]:
    """Return mean and 95 % interval of a mean (normal approximation)."""
    found = np.asarray(values, dtype=float)
    half = 1.96 * found.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
    return [round(float(end), 4) for end in (found.mean(), found.mean() - half, found.mean() + half)]
