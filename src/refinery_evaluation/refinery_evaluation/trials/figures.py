"""What an evaluation came to: rates, paired comparisons, failures, forces; by name once the codes are uncovered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from refinery.statistics import AnytimeComparison, PairedComparison, Rate, anytime_comparison, holm
from refinery_evaluation.report.data_io import without_nan
from refinery_evaluation.trials.design import Design, Key
from refinery_evaluation.trials.journal import DoneTrial
from refinery_evaluation.trials.session import complete_blocks, paired
from refinery_evaluation.trials.taxonomy import Failure, failure_of


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One condition against the control, on the blocks that are complete."""

    name: str
    """The condition."""
    pairs: PairedComparison
    """Counts, Tango's interval, exact McNemar test."""
    adjusted_p: float
    """Of that test, for the number of comparisons (Holm)."""
    anytime: AnytimeComparison
    """What may be said whenever one looks."""

    def shown(self, stopping: str) -> tuple[float, float]:
        """Interval of the difference that the design decides by."""
        return self.anytime.interval if stopping == "anytime" else self.pairs.interval


@dataclass(frozen=True, kw_only=True)
class Figures:
    """All figures of an evaluation."""

    design: Design
    """Its design."""
    names: dict[str, str]
    """What each code is called here: itself until the codes are uncovered."""
    control: str
    """Name of what the others are compared with."""
    done: tuple[DoneTrial, ...]
    """Trials that ended, in order."""
    interrupted: dict[str, int]
    """Interrupted attempts by name."""
    rates: dict[str, Rate]
    """Success by name, all trials that ended; a name without trials is left out."""
    compared: tuple[Compared, ...]
    """Against the control; none before the first complete block."""
    blocks: int
    """Complete blocks."""

    def trials(self, name: str) -> list[DoneTrial]:
        """Trials of one name."""
        return [trial for trial in self.done if self.names[trial.planned.code] == name]

    def failures(self) -> dict[Failure, list[DoneTrial]]:
        """Failed trials by group, the largest group first."""
        groups: dict[Failure, list[DoneTrial]] = {}
        for trial in self.done:
            if (group := failure_of(trial.record, trial.success)) is not None:
                groups.setdefault(group, []).append(trial)
        return dict(sorted(groups.items(), key=lambda item: -len(item[1])))

    def judged_otherwise(self) -> list[DoneTrial]:
        """Trials in which a person and the machine disagree."""
        return [trial for trial in self.done if trial.verdict is not None and trial.verdict != trial.record.strict]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types."""
        conditions = {
            name: rate.to_json()
            | {"wilson": rate.interval, "clopper_pearson": rate.exact_interval}
            | {"interrupted_attempts": self.interrupted.get(name, 0)}
            for name, rate in self.rates.items()
        }
        comparisons = [
            {
                "condition": item.name,
                "control": self.control,
                "pairs": item.pairs.n,
                "only_control": item.pairs.only_first,
                "only_condition": item.pairs.only_second,
                "difference": item.pairs.difference,
                "tango": item.pairs.interval,
                "mcnemar_p": item.pairs.p_value,
                "mcnemar_p_holm": item.adjusted_p,
                "anytime": item.anytime.interval,
                "anytime_p": item.anytime.p_value,
                "anytime_decided_at": item.anytime.decided_at,
            }
            for item in self.compared
        ]
        plain: dict[str, Any] = without_nan(
            {
                "task": self.design.task,
                "task_hash": self.design.task_hash,
                "design_hash": self.design.hash(),
                "stopping": self.design.stopping,
                "trials_done": len(self.done),
                "trials_planned": len(self.design.trials),
                "complete_blocks": self.blocks,
                "conditions": conditions,
                "comparisons": comparisons,
                "failures": {str(group): len(trials) for group, trials in self.failures().items()},
                "judged_otherwise": len(self.judged_otherwise()),
            }
        )
        return plain


def collect(
    design: Design, key: Key, done: Sequence[DoneTrial], interrupted: dict[int, int], *, uncovered: bool
) -> Figures:
    """Compute the figures.

    Args:
        design: The design.
        key: Its key; without ``uncovered`` the names of conditions are not used, and the first code is the control.
        done: Trials that ended.
        interrupted: Interrupted attempts by trial.
        uncovered: Whether codes are replaced by names.
    """
    names = {code: key.conditions[code].name if uncovered else code for code in design.codes}
    control = key.control if uncovered else design.codes[0]
    rates = {}
    for code in (control, *(code for code in design.codes if code != control)):
        outcomes = [trial.success for trial in done if trial.planned.code == code]
        if outcomes:
            rates[names[code]] = Rate.of(outcomes)
    lost: dict[str, int] = {}
    for number, count in interrupted.items():
        name = names[design.trials[number].code]
        lost[name] = lost.get(name, 0) + count
    blocks = complete_blocks(design, done)
    others = [code for code in design.codes if code != control] if blocks else []
    outcomes_of = [paired(design, done, control, code) for code in others]
    pairs = [PairedComparison.of(*both) for both in outcomes_of]
    adjusted = holm([item.p_value for item in pairs])
    # Each comparison at its share of 5 %, so that all of them together err in 5 % at most.
    anytime = [anytime_comparison(*both, 0.05 / len(others)) for both in outcomes_of]
    return Figures(
        design=design,
        names=names,
        control=names[control],
        done=tuple(done),
        interrupted=lost,
        rates=rates,
        compared=tuple(
            Compared(name=names[code], pairs=pair, adjusted_p=p, anytime=look)
            for code, pair, p, look in zip(others, pairs, adjusted, anytime, strict=True)
        ),
        blocks=len(blocks),
    )


def spread(values: Sequence[float]) -> tuple[float, float, float] | None:
    """Return median, 10th and 90th percentile of what is known; None if nothing is."""
    known = np.array([value for value in values if np.isfinite(value)])
    if not known.size:
        return None
    middle, low, high = np.percentile(known, [50, 10, 90])
    return float(middle), float(low), float(high)
