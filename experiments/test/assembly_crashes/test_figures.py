"""Figures of the crash campaign: lost parts, and results other than the undisturbed run's."""

from __future__ import annotations

from typing import Any

from experiments.assembly_crashes.figures import figures


def record(victim: str, *, seated: bool = True, state: str = "let go", disturbed: bool = False) -> dict[str, Any]:
    """Return a run with one part and, unless undisturbed, one kill."""
    return {
        "seed": 3,
        "victim": victim,
        "complete": True,
        "kills": [{"phase": "insert"}] if victim else [],
        "parts": {"block": {"state": state, "seated": seated}},
        "insertions": 1,
        "physics_disturbed": disturbed,
        "done_twice": [],
        "goals_not_written_down": 0,
    }


def test_a_run_like_the_undisturbed_one_has_nothing_against_it() -> None:
    found = figures([record(""), record("client")])["client"]
    assert (found["kills"], found["kills_by_phase"], found["complete"]) == (1, {"insert": 1}, 1)
    assert found["parts_lost"] == found["said_complete_but_not_seated"] == found["another_result"] == 0


def test_a_part_that_lies_about_is_lost_and_another_result() -> None:
    found = figures([record(""), record("assembly", seated=False)])["assembly"]
    assert found["parts_lost"] == found["said_complete_but_not_seated"] == 1
    assert found["another_result"] == found["undisturbed_physics_another_result"] == 1


def test_disturbed_physics_may_end_otherwise() -> None:
    found = figures([record(""), record("policy", seated=False, state="held", disturbed=True)])["policy"]
    assert found["parts_lost"] == found["undisturbed_physics_another_result"] == 0
    assert found["another_result"] == 1
