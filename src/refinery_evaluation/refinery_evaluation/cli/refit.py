"""``refinery refit``: correct a bundle's success model, and with it the choice of starts, by real trials."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from refinery.bundle import Bundle, load_bundle
from refinery.bundle.writer import write_bundle
from refinery.config import check
from refinery.errors import ConfigError
from refinery.statistics import Rate, prediction_powered_rate
from refinery_evaluation.refit.correction import Correction, correct
from refinery_evaluation.refit.real_trials import RealTrials
from refinery_evaluation.trials.design import hash_bundle, load_design
from refinery_evaluation.trials.journal import DoneTrial, Journal
from refinery_sim_train.provenance import provenance

_STARTS = 4096


@dataclass(frozen=True, kw_only=True)
class Args:
    """Write a new bundle with the same policy, whose success model real trials have corrected.

    Whether its starts are better only trials tell that were not used for it: plan them with the old and the new bundle.
    """

    trials: tuple[Path, ...]
    """Folders of evaluations whose codes are uncovered."""
    bundle: Path
    """The bundle that ran in them; trials of other bundles are not used."""
    out: Path
    """Directory of the new bundle."""

    def __post_init__(self) -> None:
        """Validate."""
        check(len(self.trials) >= 1, "trials", "at least one evaluation", self.trials)


def main(argv: Sequence[str]) -> int:
    """Refit and say what moved.

    Args:
        argv: Words after ``refinery refit``.

    Raises:
        RefineryError: There is nothing to learn from, or the bundle cannot be written.
    """
    args = tyro.cli(Args, args=list(argv), prog="refinery refit")
    bundle, parent = load_bundle(args.bundle), hash_bundle(args.bundle)
    done = [trial for folder in args.trials for trial in _trials(folder, parent, bundle)]
    trials = RealTrials.of(done)
    found = correct(bundle.initial_states.success_model, trials)
    _write(args, bundle, parent, trials, found)
    for line in _said(bundle, trials, found):
        print(line)
    print(f"bundle: {args.out} (parent {parent[:12]})")
    return 0


def _trials(folder: Path, parent: str, bundle: Bundle) -> list[DoneTrial]:
    """Return the trials of an evaluation that ran this very bundle on its task."""
    design, key = load_design(folder)
    if design.task_hash != bundle.task.hash():
        raise ConfigError(folder, "task_hash", bundle.task.hash(), design.task_hash, "only trials of the same task")
    codes = {code for code, condition in key.conditions.items() if condition.bundle_hash == parent}
    with contextlib.closing(Journal(folder, design.hash())) as journal:
        if not journal.unblinded:
            hint = f"refinery evaluate report --plan {folder} --unblind"
            raise ConfigError(folder, "plan", "uncovered codes", "covered ones", hint)
        return [trial for trial in journal.done(design.trials) if trial.planned.code in codes]


def _write(args: Args, bundle: Bundle, parent: str, trials: RealTrials, found: Correction) -> None:
    states = bundle.initial_states
    refit: dict[str, Any] = {
        "parent": parent,
        "trials": [str(folder.resolve()) for folder in args.trials],
        "used": Rate.of(trials.success).to_json(),
        "left_out": trials.left_out,
        "offset": found.offset,
        "offset_std": found.offset_std,
        "smooth_error": found.smooth,
    }
    write_bundle(
        args.out,
        name=f"{bundle.name}_refit",
        policy_onnx=bundle.policy_onnx,
        task=bundle.task,
        part=bundle.part,
        mixture=states.mixture,
        rule=states.rule,
        success_model=found.model,
        successes=(states.successes_k, states.successes_n),
        selection=states.selection,
        provenance=bundle.manifest["provenance"] | {"refit": refit | provenance(seed=0, env_steps=0)},
        evaluation=bundle.manifest["evaluation"],
        envelope=bundle.envelope,
    )


def _said(bundle: Bundle, trials: RealTrials, found: Correction) -> list[str]:
    shape = "offset and shape" if found.smooth else "offset only (under 50 trials)"
    out = ", ".join(f"{count} {why}" for why, count in trials.left_out.items()) or "none"
    strongest = ", ".join(f"{100 * value:+.1f}" for value in found.pull[np.argsort(-np.abs(found.pull))][:5])
    lines = [
        f"used: {Rate.of(trials.success)}; left out: {out}",
        f"real minus simulated success: {100 * found.offset:+.1f} points (standard deviation "
        f"{100 * found.offset_std:.1f}); {shape}; the strongest pulls: {strongest} points",
    ]
    uniform = trials.uniform
    if uniform.sum() >= 2:
        model, box = bundle.initial_states.success_model, bundle.task.initial_state.deployed
        anywhere = model.predict(box.uniform(_STARTS, np.random.default_rng(0))).mean
        known = model.predict(trials.theta[uniform]).mean
        rate = prediction_powered_rate(trials.success[uniform], known, anywhere)
        plain = Rate.of(trials.success[uniform])
        lines.append(
            f"overall rate from uniform starts: {100 * rate.value:.1f} %, 95 % interval {100 * rate.low:.1f} to "
            f"{100 * rate.high:.1f} with the simulated model's help (weight {rate.weight:.2f}); without {plain}"
        )
    return lines
