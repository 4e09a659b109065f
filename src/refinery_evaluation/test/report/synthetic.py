"""Made-up but plausible results: success falls with yaw and pitch before refining, hardly after."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import Box
from refinery.mixture import Mixture
from refinery.statistics import Rate
from refinery.success_model import SuccessModel
from refinery.task import Task, load_task
from refinery_evaluation.report import DemoData, TrialRecord
from refinery_evaluation.report.data import Starts
from refinery_evaluation.report.plots import conditions

REPOSITORY = Path(__file__).resolve().parents[4]


def the_task() -> Task:
    return load_task(REPOSITORY / "config" / "tasks" / "peg_rect.yaml")


def truth(box: Box, theta: NDArray[np.float64], drop: float) -> NDArray[np.float64]:
    """True success rate: 0.97 in the middle, lower by up to about ``drop`` where yaw and pitch are large."""
    unit = 2 * box.to_unit(theta) - 1
    yaw, pitch = unit[:, -1], unit[:, -2]
    return np.clip(0.97 - drop * np.maximum(0.9 * yaw**2 + 0.3 * pitch**2 + 0.2 * yaw * pitch - 0.1, 0), 0.02, 0.98)


def model_of(box: Box, drop: float, rng: np.random.Generator) -> SuccessModel:
    theta = box.uniform(170, rng)
    rate = truth(box, theta, drop)
    return SuccessModel(
        inputs=box.to_unit(theta),
        rates=rng.binomial(6, rate) / 6,
        noise_variance=np.maximum(rate * (1 - rate), 0.02) / 6,
        prior_mean=float(rate.mean()),
        amplitude=0.25 * min(1.0, drop + 0.2),
        length_scales=np.array([3.0, 4.0, 1.4, 0.6, 0.33]),
        box=box,
    )


def mixture_of(box: Box) -> Mixture:
    first = np.diag([0.07, 0.07, 0.06, 0.03, 0.02])
    second = np.diag([0.06, 0.08, 0.07, 0.02, 0.012])
    second[3, 4] = second[4, 3] = -0.009
    return Mixture(
        weights=np.array([0.6, 0.4]),
        means=np.array([[0.5, 0.5, 0.5, 0.5, 0.38], [0.5, 0.5, 0.5, 0.55, 0.66]]),
        covariances=np.stack([first, second]),
        box=box,
    )


def trial(
    index: int, starts: Starts, theta: NDArray[np.float64], strict: bool, rng: np.random.Generator, **changes: Any
) -> TrialRecord:
    fields: dict[str, Any] = {
        "index": index,
        "starts": starts,
        "seed": 7000 + index,
        "theta": tuple(float(v) for v in theta),
        "predicted": 0.9,
        "placed": True,
        "place_error_mm": float(rng.uniform(0.1, 0.6)),
        "place_error_deg": float(rng.uniform(0.02, 0.2)),
        "outcome": "SUCCESS" if strict else "FAILED",
        "reason": "" if strict else "the plug is not seated after 5.0 s",
        "strict": strict,
        "engaged": strict,
        "depth_mm": 24.9 if strict else float(rng.uniform(-1, 3)),
        "lateral_mm": float(rng.uniform(0.1, 0.5)) if strict else float(rng.uniform(1, 4)),
        "angle_deg": float(rng.uniform(0.1, 1.0)) if strict else float(rng.uniform(3, 15)),
        "max_force_n": float(rng.uniform(8, 25)),
        "duration_s": float(rng.uniform(2.0, 4.9)) if strict else 5.0,
    }
    return TrialRecord(**(fields | changes))


def trials_of(box: Box, count: int, model: SuccessModel, rng: np.random.Generator) -> tuple[TrialRecord, ...]:
    rows = []
    kinds: tuple[tuple[Starts, NDArray[np.float64]], ...] = (
        ("uniform", box.uniform(count, rng)),
        ("sampled", mixture_of(box).sample(count, rng)),
    )
    for starts, theta in kinds:
        predicted = model.predict(theta).mean
        for row, success in zip(range(count), rng.random(count) < truth(box, theta, 0.25), strict=True):
            rows.append(trial(len(rows), starts, theta[row], bool(success), rng, predicted=float(predicted[row])))
    return tuple(rows)


def demo_data(
    *,
    seed: int = 1,
    episodes: int = 1024,
    trials: int = 20,
    records: tuple[TrialRecord, ...] | None = None,
    **changes: Any,
) -> DemoData:
    """A whole run with ``trials`` of each kind (or ``records``); ``changes`` replace fields of DemoData."""
    rng = np.random.default_rng(seed)
    task = the_task()
    box = task.initial_state.deployed
    theta = box.uniform(episodes, rng)
    final = model_of(box, 0.25, rng)
    fields: dict[str, Any] = {
        "task": task,
        "base_theta": theta,
        "base_strict": rng.random(episodes) < truth(box, theta, 0.75),
        "refined_theta": theta,
        "refined_strict": rng.random(episodes) < truth(box, theta, 0.25),
        "base_model": model_of(box, 0.75, rng),
        "final_model": final,
        "mixture": mixture_of(box),
        "structure_bits": 0.112,
        "env_steps": 276_800,
        "p_value": 3e-12,
        "learning": [
            {"iteration": i, "env_steps": 6400 * i, "success": float("nan") if i < 4 else 0.8 - 0.35 * 0.9**i}
            for i in range(1, 32)
        ],
        "trials": trials_of(box, trials, final, rng) if records is None else records,
        "cell_picture_png": None,
        "cell_picture_note": "No OpenGL on this machine (EGL and OSMesa both failed): the cell was not rendered.",
        "seconds": {"base policy": 0.4, "search": 61.0, "fine-tuning": 212.5, "test": 118.0, "trials": 160.0},
        "provenance": {
            "git_revision": "0123456789abcdef0123456789abcdef01234567",
            "dirty": True,
            "command": "demo --seed 1",
            "date": "2026-01-02T03:04:05+00:00",
            "machine": "2 cores, x86_64, Linux, Python 3.11.2",
            "versions": {"mujoco": "3.3.0", "numpy": "2.0.0"},
            "seed": seed,
            "env_steps": 276_800,
        },
        "seed": seed,
        "clipped": Rate(k=episodes * 9 // 10, n=episodes),
        "started": Rate(k=episodes - 1, n=episodes),
    }
    return DemoData(**(fields | changes))


def some_picture() -> bytes:
    """Return any PNG."""
    return conditions(demo_data(episodes=20, trials=1))
