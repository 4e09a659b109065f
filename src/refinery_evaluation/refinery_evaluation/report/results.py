"""The results file of the demo, ``demo.json``, with the keys that other readers rely on."""

from __future__ import annotations

from typing import Any

from refinery.statistics import Rate
from refinery_evaluation.report.data import DemoData
from refinery_evaluation.report.data_io import without_nan


def demo_json(data: DemoData) -> dict[str, Any]:
    """Return the contents of ``demo.json``: plain JSON types, success as k and n (0 and 0 where nothing was run)."""
    result: dict[str, Any] = {
        "task": data.task.name,
        "base": data.base.to_json(),
        "base_clipped": _counts(data.clipped),
        "refined": data.refined.to_json(),
        "refined_chosen_starts": _counts(data.started),
        "uniform_starts": _counts(data.rate_from("uniform")),
        "sampled_starts": _counts(data.rate_from("sampled")),
        "seconds": round(data.total_seconds, 1),
        "stages": {name: round(seconds, 1) for name, seconds in data.seconds.items()},
        "paired_p_value": data.p_value,
        "structure_bits": data.structure_bits,
        "env_steps": int(data.env_steps),
        "seed": int(data.seed),
        "date": data.provenance.get("date"),
        "machine": data.provenance.get("machine"),
        "commit": data.provenance.get("git_revision"),
        "dirty": data.provenance.get("dirty"),
        "command": data.provenance.get("command"),
    }
    plain: dict[str, Any] = without_nan(result)
    return plain


def _counts(rate: Rate | None) -> dict[str, int]:
    return {"k": 0, "n": 0} if rate is None else rate.to_json()
