"""Figures of the crash campaign: kills by victim and phase, and everything that must be zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any


def figures(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures of all runs, by victim, as JSON.

    Args:
        records: Of :meth:`experiments.assembly_crashes.disturbed.Disturber.run`; a victim "" is an undisturbed run.
    """
    calm = {record["seed"]: record for record in records if not record["victim"]}
    victims = sorted({record["victim"] for record in records if record["victim"]})
    own = {victim: [record for record in records if record["victim"] == victim] for victim in victims}
    return {victim: _of(runs, calm) for victim, runs in own.items()} | {"undisturbed": _of(list(calm.values()), calm)}


def _of(runs: Sequence[dict[str, Any]], calm: dict[int, dict[str, Any]]) -> dict[str, Any]:
    kills = [kill for record in runs for kill in record["kills"]]
    return {
        "assemblies": len(runs),
        "complete": sum(record["complete"] for record in runs),
        "kills": len(kills),
        "kills_by_phase": dict(Counter(kill["phase"] for kill in kills)),
        "done_twice": [problem for record in runs for problem in record["done_twice"]],
        "goals_not_written_down": sum(record["goals_not_written_down"] for record in runs),
        "parts_lost": sum(_lost(record) for record in runs),
        "said_complete_but_not_seated": sum(record["complete"] and not _seated(record) for record in runs),
        "physics_disturbed": sum(record["physics_disturbed"] for record in runs),
        "undisturbed_physics_another_result": sum(
            not record["physics_disturbed"] and _result(record) != _result(calm[record["seed"]]) for record in runs
        ),
        "another_result": sum(_result(record) != _result(calm[record["seed"]]) for record in runs),
        "insertions": sum(record["insertions"] for record in runs),
    }


def _lost(record: dict[str, Any]) -> int:
    """Count parts that are neither in a tray, nor held, nor in their seats."""
    return sum(part["state"] == "let go" and not part["seated"] for part in record["parts"].values())


def _seated(record: dict[str, Any]) -> bool:
    return all(part["seated"] for part in record["parts"].values())


def _result(record: dict[str, Any]) -> Any:
    """Return what is compared: where parts are to the millimetre is up to physics in another order of messages."""
    parts = record["parts"].items()
    return record["complete"], sorted((name, part["state"], part["seated"]) for name, part in parts)
