"""Made-up records of a study: outcomes drawn from known success rates, paired over conditions as the real ones are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from experiments.study.plan import VARIANT, StudySpec, Unit, unit_identity, units
from experiments.study.records import Records, pack_outcomes
from refinery_sim_train.refine.acquire import ACQUISITIONS, AcquisitionSpec

EPISODES = 400
CURVE_ROUNDS = (1, 2, 4)
ROUNDS = 8
STEPS_PER_ROUND = 25_600
SPREAD = {"uniform": [1.0, 0.98], "resampled": [1.0, 0.98], "best_cell": [0.33, 0.99]}
RULES = ("uniform", "best_cell", "resampled", "mixture", "superlevel", "model_top")


@dataclass(frozen=True, kw_only=True)
class Truth:
    """True success rates of a task."""

    base: float = 0.72
    uniform: float = 0.92
    resampled: float = 0.90
    guided: float = 0.93
    seed_spread: float = 0.01
    rules: dict[str, float] = field(
        default_factory=lambda: {"best_cell": 0.95, "resampled": 0.93, "mixture": 0.94, "superlevel": 0.97}
    )
    bits: float = 0.11
    sampled: float = 0.0
    """Success of sampled actions; 0: as the mean action's."""
    collapsed: tuple[tuple[str, int], ...] = ()
    """Runs (arm, seed) that end at 40 %."""


def spec_of(tasks: tuple[str, ...], *, seeds: int = 3, versus: tuple[str, ...] = (), **changes: Any) -> StudySpec:
    settings: dict[str, Any] = {
        "tasks": tasks,
        "seeds": seeds,
        "versus_tasks": versus,
        "versus_seeds": 8,
        "ablation_tasks": (),
        "rounds": ROUNDS,
        "iterations_per_round": 4,
        "curve_rounds": CURVE_ROUNDS,
        "environments": 256,
        "test_episodes": EPISODES,
        "curve_episodes": EPISODES,
        "structure_episodes": 512,
        "permutations": 20,
        "start_episodes": 512,
        "start_test_episodes": EPISODES,
        "choice_episodes": 256,
        "variants": {name: AcquisitionSpec(function=name) for name in ACQUISITIONS if name != "ucb"},
    }
    return StudySpec(**settings | changes)


def identity_of(task: str) -> str:
    return f"id-{task}"


def identities_of(spec: StudySpec) -> dict[str, str]:
    return {task: identity_of(task) for task in spec.tasks}


def save_all(spec: StudySpec, folder: Path, truths: dict[str, Truth], leave_out: Any = lambda unit: False) -> Records:
    """Save the record of every unit that is not left out."""
    records = Records(folder)
    for unit in units(spec):
        if not leave_out(unit):
            records.save(unit, record_of(spec, unit, truths.get(unit.task, Truth())))
    return records


def record_of(spec: StudySpec, unit: Unit, truth: Truth) -> dict[str, Any]:
    content = {"base": _base, "tune": _tune, "starts": _starts}[unit.kind](spec, unit, truth)
    return {
        "task": unit.task,
        "unit": unit.name,
        "identity": unit_identity(identity_of(unit.task), spec, unit),
        "seconds": 61.5,
        "git_revision": "0123456789abcdef0123456789abcdef01234567",
        "dirty": False,
        "date": f"2026-11-2{1 + unit.seed % 3}T10:00:00+00:00",
        "machine": "2 cores, x86_64, Linux, Python 3.11.2",
        "seed": unit.seed,
        **content,
    }


def wins(rate: float, unit: Unit, stream: int = 0, episodes: int = EPISODES) -> dict[str, Any]:
    """Outcomes of a rate: equal streams of a seed share their luck."""
    luck = np.random.default_rng([len(unit.task), sum(unit.task.encode()), unit.seed, stream]).random(episodes)
    return pack_outcomes(luck < rate)


def _base(spec: StudySpec, unit: Unit, truth: Truth) -> dict[str, Any]:
    seeds = spec.versus_seeds if unit.task in spec.versus_tasks else spec.seeds
    each = [Unit(task=unit.task, kind="base", seed=seed) for seed in range(max(seeds, spec.seeds))]

    def measure(value: float, null: float, most: float) -> dict[str, float]:
        return {"value": value, "null_mean": null, "null_95": most}

    return {
        "test": [wins(truth.base, of_seed) for of_seed in each],
        "engaged": pack_outcomes(np.ones(EPISODES * len(each), dtype=bool)),
        "sampled_action": wins(truth.sampled or truth.base, unit),
        "trained_box": wins(min(truth.base + 0.2, 0.98), unit, 1),
        "curve_start": [wins(truth.base, of_seed, 2) for of_seed in each],
        "structure_on": wins(truth.base, unit, 3, spec.structure_episodes),
        "structure": {
            "index": measure(1.2 + 40 * truth.bits, 1.4, 1.8),
            "index_pair": ["roll", "yaw"],
            "bits": measure(truth.bits, -0.005, 0.01),
            "best_tenth": measure(min(truth.base + 1.5 * truth.bits, 0.99), truth.base, min(truth.base + 0.04, 1)),
            "worst_fifth": measure(min(0.2 + 2 * truth.bits, 0.95), 0.2, 0.23),
            "worst_tenth_rate": max(truth.base - 2 * truth.bits, 0.05),
        },
        "bad_region_share": round(max(0.6 * truth.bits, 0.0), 4),
        "length_scales": {"roll": 1.4, "yaw": 0.4},
        "marginals": {"roll": [truth.base] * 8, "yaw": [truth.base] * 8},
    }


def _tune(spec: StudySpec, unit: Unit, truth: Truth) -> dict[str, Any]:
    wobble = np.random.default_rng([unit.seed, sum(unit.arm.encode())]).normal(0, truth.seed_spread)
    varied = unit.arm.removeprefix(VARIANT)
    end = {"uniform": truth.uniform, "resampled": truth.resampled, "guided": truth.guided}.get(
        unit.arm, truth.guided - 0.01 * (ACQUISITIONS.index(varied) if varied in ACQUISITIONS else 0)
    )
    end = 0.4 if (unit.arm, unit.seed) in truth.collapsed else float(np.clip(end + wobble, 0, 1))
    speed = {"guided": 2.0, "uniform": 3.0}.get(unit.arm, 2.5)
    rounds = (*spec.curve_rounds, spec.rounds)
    curve = [
        {"env_steps": r * STEPS_PER_ROUND, **wins(end - (end - truth.base) * np.exp(-r / speed), unit, 2)}
        for r in rounds
    ]
    return {
        "env_steps": spec.rounds * STEPS_PER_ROUND,
        "evaluation_steps_for_guidance": 0,
        "curve": curve,
        "test": wins(end, unit),
        "engaged": wins(min(end + 0.02, 1), unit),
    }


def _starts(spec: StudySpec, unit: Unit, truth: Truth) -> dict[str, Any]:
    rates = {"uniform": truth.guided, "model_top": 0.98} | truth.rules
    test = {rule: wins(rates[rule], unit, 10 + i) for i, rule in enumerate(RULES)}
    choice = {rule: wins(rates[rule], unit, 20, spec.choice_episodes) for rule in ("mixture", "superlevel")}
    off = {"model_top": 0.015, "superlevel": 0.01}
    return {
        "fitted_on": wins(truth.guided, unit, 4, spec.start_episodes),
        "choice": choice,
        "chosen": max(choice, key=lambda rule: choice[rule]["k"]),
        "test": test,
        "calibration": {
            rule: {"predicted": rates[rule] + off.get(rule, 0.0), "measured": test[rule]["k"] / EPISODES}
            for rule in RULES
        },
        "spread_over_uniform": {rule: SPREAD.get(rule, [0.8, 0.55]) for rule in RULES},
    }


STUDY = {
    "peg_rect": Truth(base=0.80, uniform=0.94, guided=0.95),
    "square_tilt": Truth(base=0.86, uniform=0.90, guided=0.91, bits=0.02),
    "l_bracket": Truth(base=0.62, uniform=0.85, guided=0.83, resampled=0.78, bits=0.2),
    "two_prongs": Truth(base=0.70, uniform=0.91, guided=0.93),
    "hexagon": Truth(base=0.94, uniform=0.95, guided=0.95, bits=0.005, rules={"best_cell": 0.95, "resampled": 0.95,
                                                                               "mixture": 0.95, "superlevel": 0.95}),
    "square_xy": Truth(base=0.78, uniform=0.88, guided=0.88, bits=-0.01, sampled=0.9),
    "rect_slip": Truth(base=0.83, uniform=0.90, guided=0.95, bits=0.09),
    "t_post": Truth(base=0.71, uniform=0.90, guided=0.90, seed_spread=0.03, collapsed=(("uniform", 4),)),
    "cross_corner": Truth(base=0.75, uniform=0.93, guided=0.90, bits=0.15, sampled=0.84),
}  # fmt: skip
"""Something of everything: a win, a loss, a tie, a collapse, a task without structure, an easy one."""


def study_spec() -> StudySpec:
    """As the real study: nine tasks, three of them with more seeds, two with all acquisition functions."""
    names = tuple(STUDY)
    return spec_of(names, versus=("rect_slip", "t_post", "cross_corner"), ablation_tasks=("t_post", "two_prongs"))
