"""Records of a study as its runs leave them, without the runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from experiments.study.plan import DEFAULT, Arm, StudySpec, Unit
from experiments.study.summary import CONDITIONS
from experiments.study.work import pack_outcomes

EPISODES = 200
SUCCESS = {"base": 0.7, "clipped": 0.8, "refined": 0.95, "started": 0.98, "retried": 0.995}
"""Success of the conditions; tasks and seeds add to it."""


def study_spec(**changes: Any) -> StudySpec:
    settings: dict[str, Any] = {
        "preset": "smoke",
        "tasks": ("peg_rect", "hexagon", "t_post"),
        "seeds": 2,
        "kept_out": ("t_post",),
        "arms": {"guided": Arm(source="guided", tasks=("t_post",), seeds=3)},
    }
    return StudySpec(**settings | changes)


def record(unit: Unit, success: dict[str, float] | None = None, mark: str = "today") -> dict[str, Any]:
    """A unit's record: the first episodes of each condition are won."""
    rates = SUCCESS | (success or {})
    episodes = np.arange(EPISODES) / EPISODES
    return {
        "task": unit.task,
        "arm": unit.arm,
        "identity": mark,
        "git_revision": "0123456789abcdef",
        "dirty": False,
        "date": "2026-11-26T12:00:00",
        "machine": "2 cores",
        "seed": unit.seed,
        "env_steps": 640_000,
        "log": ["observations are clipped"],
        "curve": [{"env_steps": 0, "k": 80, "n": 100}, {"env_steps": 320_000, "k": 95, "n": 100}],
        **{name: pack_outcomes(episodes < rates[name]) for name in CONDITIONS},
    }


def complete(spec: StudySpec) -> dict[Unit, dict[str, Any]]:
    """Every unit of a study; t_post has a base over 90 %, each seed of a default run is two points better."""
    found = {}
    for task in spec.tasks:
        for seed in range(3 if task == "t_post" else spec.seeds):
            easy = {"base": 0.92, "clipped": 0.92} if task == "t_post" else {}
            unit = Unit(task=task, seed=seed)
            found[unit] = record(unit, easy | {"refined": 0.95 + 0.02 * seed})
    for seed in range(3):
        unit = Unit(task="t_post", seed=seed, arm="guided")
        found[unit] = record(unit, {"refined": 0.94 + 0.02 * seed})
    assert {unit.arm for unit in found} == {DEFAULT, "guided"}
    return found
