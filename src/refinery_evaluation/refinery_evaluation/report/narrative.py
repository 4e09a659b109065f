"""Sentences about a run, their numbers computed: the headline, and what the trials can and cannot show."""

from __future__ import annotations

import math

import numpy as np

from refinery.statistics import Rate, rate_difference_interval
from refinery_evaluation.report.data import DemoData, Starts
from refinery_evaluation.report.formatting import (
    counts,
    enumerate_names,
    free_dimensions,
    interval,
    p_value,
    percent,
    points,
    thousands,
)
from refinery_evaluation.report.metrics import entropy_bits, flips, map_dimensions
from refinery_evaluation.report.power import detectable_from, trials_to_tell

_SIGNIFICANT = 0.05
_SMALL_STEP = 0.03


def headline(data: DemoData) -> str:
    """Return the result in one sentence, with intervals."""
    uniform, sampled = data.rate_from("uniform"), data.rate_from("sampled")
    shown = [
        f"{counts(rate)} trials from {starts} starts succeeded ({percent(rate)}, {interval(rate)})"
        for starts, rate in (("uniform", uniform), ("sampled", sampled))
        if rate is not None
    ]
    nodes = f"through the ROS 2 nodes, {' and '.join(shown)}" if shown else "no trials ran through the ROS 2 nodes"
    return f"{_refining(data)}; {nodes} (brackets: 95\u00a0% intervals)."


def _refining(data: DemoData) -> str:
    base, refined = (
        f"{percent(data.base)} ({interval(data.base)})",
        f"{percent(data.refined)} ({interval(data.refined)})",
    )
    if is_changed(data):
        verb = "raised" if data.refined.value > data.base.value else "lowered"
        return f"Refining {verb} strict success in simulation from {base} to {refined}"
    return f"Refining did not measurably change strict success in simulation, {base} before and {refined} after"


def is_changed(data: DemoData) -> bool:
    """Tell whether refining made a significant difference (McNemar at 5 %; intervals where there is no p-value)."""
    if math.isfinite(data.p_value):
        return data.p_value < _SIGNIFICANT and data.base.value != data.refined.value
    low, high = rate_difference_interval(data.base, data.refined)
    return low > 0 or high < 0


def refining_detail(data: DemoData) -> str:
    """Return how the comparison in simulation was made and what changed."""
    changed = flips(data)
    if changed is None:
        return f"The two policies were tested on {thousands(data.base.n)} and {thousands(data.refined.n)} episodes."
    gained, lost = changed
    if not np.any(data.base_strict != data.refined_strict):
        return (
            f"Both policies were tested on the same {thousands(data.base.n)} starts and seeds, and every episode ended "
            "the same way: no fine-tuned policy did better on the validation episodes, so the base policy was kept."
        )
    return (
        f"Both policies were tested on the same {thousands(data.base.n)} starts and seeds, none of them used before: "
        f"{thousands(gained)} that failed now succeed, {thousands(lost)} that succeeded now fail "
        f"(exact McNemar test, {p_value(data.p_value)})."
    )


def what_trials_show(data: DemoData) -> list[str]:
    """Return what the trials through the nodes can and cannot show, sentence by sentence."""
    uniform, sampled = data.rate_from("uniform"), data.rate_from("sampled")
    sentences = [
        f"{counts(rate)} from {starts} starts is {percent(rate)}, and the true rate lies between "
        f"{interval(rate, 'and')} with 95\u00a0% confidence."
        for starts, rate in (("uniform", uniform), ("sampled", sampled))
        if rate is not None
    ]
    if not sentences:
        return ["No trials were run through the nodes, so this page says nothing about them."]
    if uniform is not None and sampled is not None:
        sentences.append(_difference(uniform, sampled))
        sentences += _effort(uniform, sampled)
    reference = sampled or uniform
    assert reference is not None
    sentences.append(_small_step(reference))
    if uniform is not None:
        sentences.append(_agreement(uniform, data.refined))
    return sentences


def _difference(uniform: Rate, sampled: Rate) -> str:
    low, high = rate_difference_interval(uniform, sampled)
    measured = round(100 * (sampled.value - uniform.value))
    span = f"sampled minus uniform is {measured:+d} points, 95\u00a0% interval {points(low, high)}"
    if low > 0:
        return f"By these trials, sampled starts are better: {span}."
    if high < 0:
        return f"By these trials, sampled starts are worse: {span}."
    return f"These trials do not show that one kind of start is better than the other: {span}, which includes 0."


def _effort(uniform: Rate, sampled: Rate) -> list[str]:
    """Return how many trials would separate the two rates measured, and what this many could have separated."""
    sentences = []
    if uniform.value != sampled.value:
        needed = trials_to_tell(uniform.value, sampled.value)
        sentences.append(
            f"If {percent(uniform)} and {percent(sampled)} were the true rates, it would take about "
            f"{thousands(needed)} trials of each kind to tell them apart (two-sided test at 5\u00a0%, 80\u00a0% power)."
        )
    n = min(uniform.n, sampled.n)
    worse = min(uniform.value, sampled.value)
    better = detectable_from(worse, n)
    if worse < 1 and better is None:
        sentences.append(f"With {n} of each, not even {_whole(worse)} and 100\u00a0% can be told apart reliably.")
    elif better is not None:
        sentences.append(
            f"With {n} of each, only a rate of {_whole(better)} or more can be told reliably from {_whole(worse)}."
        )
    return sentences


def _small_step(rate: Rate) -> str:
    near = rate.value + _SMALL_STEP if rate.value + _SMALL_STEP <= 1 else rate.value - _SMALL_STEP
    needed = trials_to_tell(rate.value, near)
    low, high = sorted((rate.value, near))
    return f"To tell {_whole(low)} from {_whole(high)} takes about {thousands(needed)} trials of each kind."


def _agreement(uniform: Rate, refined: Rate) -> str:
    low, high = rate_difference_interval(refined, uniform)
    span = f"nodes minus simulation is {points(low, high)} with 95\u00a0% confidence"
    if low <= 0 <= high:
        runs = "the whole chain runs, and that " if uniform.k else ""
        return (
            f"What the trials do show is that {runs}uniform starts through the nodes agree with the simulation as far "
            f"as {uniform.n} trials can tell ({span})."
        )
    return (
        "Uniform starts through the nodes do not agree with the simulation "
        f"({span}): the nodes, the placement or the twin do something that training does not."
    )


def structure(data: DemoData) -> list[str]:
    """Return what the structure figure means, in plain sentences."""
    bits = data.structure_bits
    if not math.isfinite(bits):
        return ["How much the initial state decides about success was not measured."]
    most = entropy_bits(data.base.value)
    sentences = [
        f"Structure: {bits:+.3f} bits per episode, measured on episodes held out from the fit. 0 means that where the "
        f"arm starts says nothing about whether the base policy succeeds; {most:.2f} would mean that it decides it."
    ]
    if bits <= 0:
        sentences.append("None was found here, so choosing starts cannot be expected to beat drawing them uniformly.")
    return sentences


def why_these_dimensions(data: DemoData) -> str:
    """Return which dimensions the map shows and why."""
    dims = map_dimensions(data)
    scales = data.base_model.length_scales
    shown = [f"{d.name} ({scales[d.column]:.2f})" for d in dims]
    rest = [d for d in free_dimensions(data.box) if d not in dims]
    other = f"; the others: {', '.join(f'{d.name} {scales[d.column]:.2f}' for d in rest)}" if rest else ""
    return (
        f"The map shows {enumerate_names(shown)}: along them the base policy's success changes fastest "
        f"(the base model's length scales, as shares of the box, are the shortest{other})."
    )


def predicted_and_measured(data: DemoData) -> list[str]:
    """Return predicted and measured success of the trials, for each kind of start that has predictions."""
    sentences = []
    kinds: tuple[Starts, ...] = ("uniform", "sampled")
    for starts in kinds:
        expected = [
            t.predicted for t in data.trials_from(starts) if t.predicted is not None and math.isfinite(t.predicted)
        ]
        rate = data.rate_from(starts)
        if expected and rate is not None:
            mean = 100 * float(np.mean(expected))
            sentences.append(
                f"For the {starts} starts the success model had expected {mean:.0f} %; {counts(rate)} succeeded."
            )
    return sentences


def _whole(rate: float) -> str:
    return f"{100 * rate:.0f}\u00a0%"
