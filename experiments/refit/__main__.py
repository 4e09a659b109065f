"""``python -m experiments.refit``: refit a bundle by trials of a cell unlike training, and hold out others."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from experiments.refit.cell import CellErrors, TrialCell
from experiments.refit.figures import figures
from experiments.results_file import campaign_origin, merge_results, read_results
from refinery.bundle import load_bundle
from refinery.bundle.initial_states import InitialStates
from refinery.config import check
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Array
from refinery.statistics import Rate
from refinery.storage import write_whole
from refinery.success_model import SuccessModel
from refinery_evaluation.refit.correction import SMOOTH_FROM, Correction, correct
from refinery_evaluation.refit.real_trials import RealTrials
from refinery_evaluation.trials.design import hash_bundle
from refinery_evaluation.trials.taxonomy import ABOUT_START, GROUP_OF
from refinery_sampler_node.sampling.initial_state_chooser import InitialStateChooser
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.provenance import provenance

HELD_OUT = 500_000
"""Seeds of held-out trials begin here, those of the trials that are learnt from at 0."""
_PER_SEED = 1_000_000
FEW = SMOOTH_FROM - 10
"""So few trials only move the offset; how many starts that changes is counted."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Refit a bundle by trials of one cell, and compare old and refitted starts on held-out trials of that cell."""

    bundle: Path | None = None
    """The bundle."""
    trials: int = 150
    """Trials from uniform starts to learn from."""
    held_out: int = 200
    """Blocks of held-out trials: old, refitted and uniform start on the same cell."""
    friction: float = 0.8
    """Sliding friction in the cell; training has the task's."""
    bias_mm: float = 0.5
    """Constant error of the socket estimate along the socket's x, [mm]."""
    yaw_rad: float = 0.02
    """Constant error of its yaw, [rad]."""
    seed: int = 0
    """Of all draws, 0 to 999."""
    work: Path = Path("runs/refit")
    """Folder for the trials; the same setting goes on there."""
    out: Path = Path("results/refit.json")
    """The results file."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.trials >= SMOOTH_FROM, "trials", f">= {SMOOTH_FROM}, or starts do not change", self.trials)
        check(self.held_out >= 2, "held_out", ">= 2", self.held_out)
        check(0 <= self.seed <= 999, "seed", "0 to 999", self.seed)


class Progress:
    """Trials in a file, which a later run with the same setting goes on with.

    Args:
        path: The file.
        setting: What has to be the same.
    """

    def __init__(self, path: Path, setting: dict[str, Any]) -> None:
        before = read_results(path)
        same = before.get("setting") == setting
        self._path, self._setting = path, setting
        self.learnt: list[dict[str, Any]] = before["learnt"] if same else []
        """Trials to learn from, in order."""
        self.blocks: list[dict[str, Any]] = before["blocks"] if same else []
        """Blocks of held-out trials, in order."""

    def save(self) -> None:
        """Write the file."""
        plain = {"setting": self._setting, "learnt": self.learnt, "blocks": self.blocks}
        write_whole(self._path, json.dumps(plain) + "\n")


def demonstrate(args: Args) -> None:
    """Learn, hold out, compare, write."""
    if args.bundle is None:
        raise ConfigError("refit", "bundle", "a bundle to refit", "none", "`make demo` makes one")
    read_results(args.out)
    bundle = load_bundle(args.bundle)
    states = bundle.initial_states
    errors = CellErrors(friction=args.friction, bias_m=(1e-3 * args.bias_mm, 0.0), yaw_rad=args.yaw_rad)
    cell = TrialCell(bundle, errors, load_robot_profile(config_file("robots", "twin")))
    setting = {"bundle": hash_bundle(args.bundle), "seed": args.seed, "trials": args.trials}
    setting |= json.loads(json.dumps(dataclasses.asdict(errors)))
    args.work.mkdir(parents=True, exist_ok=True)
    progress = Progress(args.work / "trials.json", setting)
    first, box = _PER_SEED * args.seed, states.success_model.box

    def ended(seed: int, theta: Array) -> dict[str, Any]:
        return {"theta": theta.tolist(), **dataclasses.asdict(cell.run(seed, theta))}

    def uniform(seed: int) -> Array:
        return box.uniform(1, np.random.default_rng([seed, 1]))[0]

    with stage(f"{args.trials} trials to learn from") as update:
        for number in range(len(progress.learnt), args.trials):
            progress.learnt.append(ended(first + number, uniform(first + number)))
            progress.save()
            update(len(progress.learnt) / args.trials, "")
    found, few = (_corrected(states.success_model, progress.learnt[:count]) for count in (args.trials, FEW))
    models = {"old": states.success_model, "refitted": found.model}
    with stage(f"{args.held_out} blocks of held-out trials") as update:
        for number in range(len(progress.blocks), args.held_out):
            seed = first + HELD_OUT + number
            starts = {name: _best(states, model, seed) for name, model in models.items()}
            block = {name: ended(seed, theta) for name, theta in (starts | {"uniform": uniform(seed)}).items()}
            theta = np.array([block["uniform"]["theta"]])
            block["uniform"]["said"] = {name: float(model.predict(theta).mean[0]) for name, model in models.items()}
            progress.blocks.append(block)
            progress.save()
            update(len(progress.blocks) / args.held_out, "")
    seeds = [first + HELD_OUT + number for number in range(args.held_out)]
    moved = [np.any(_best(states, few.model, seed) != _best(states, models["old"], seed)) for seed in seeds]
    result = {
        "task": bundle.task.name,
        "setting": setting,
        "learnt_from": Rate.of([trial["won"] for trial in progress.learnt]).to_json(),
        "stops": dict(Counter(trial["stopped"] for trial in progress.learnt)),
        "offset_points": round(100 * found.offset, 1),
        "offset_std_points": round(100 * found.offset_std, 1),
        "starts_moved_by_few_trials": int(sum(moved)),
        **figures(progress.blocks[: args.held_out]),
    }
    console.print(result, markup=False)
    merge_results(args.out, result | campaign_origin(provenance(seed=args.seed, env_steps=0), "refit"))


def _corrected(model: SuccessModel, trials: list[dict[str, Any]]) -> Correction:
    """Refit by trials from uniform starts; stops that say nothing about the start are left out."""
    kept, left_out = [], Counter[str]()
    for trial in trials:
        group = None if trial["won"] else GROUP_OF.get(trial["stopped"])
        if group is None or group in ABOUT_START:
            kept.append(trial)
        else:
            left_out[str(group)] += 1
    return correct(
        model,
        RealTrials(
            theta=np.array([trial["theta"] for trial in kept]),
            success=np.array([trial["won"] for trial in kept], dtype=bool),
            uniform=np.ones(len(kept), dtype=bool),
            left_out=dict(left_out),
        ),
    )


def _best(states: InitialStates, model: SuccessModel, seed: int) -> Array:
    """Start that the sampler would choose with a success model, shape (9,)."""
    theta: Array = InitialStateChooser(states.mixture, model, model.box).choose("best", 1, seed).theta[0]
    return theta


if __name__ == "__main__":
    run(Args, demonstrate)
