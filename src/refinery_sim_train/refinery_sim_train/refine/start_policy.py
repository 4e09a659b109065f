"""The policy that a refinement starts from: the base, with clipped observations if a paired test favours them."""

from __future__ import annotations

from dataclasses import replace

from refinery.statistics import paired_p_value
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.evaluate import Outcomes

LEVEL = 0.05
"""Largest p-value of the exact McNemar test at which the clip is taken."""


def clipped(base: Agent, clip: float) -> Agent | None:
    """The base with clipped observations; None where there is nothing to try: no clip, or the base has one."""
    if not clip or base.spec.observation_clip:
        return None
    return base.extended(replace(base.spec, observation_clip=clip), seed=0)


def clip_pays(base: Outcomes, clipped: Outcomes) -> tuple[bool, str]:
    """Decide on outcomes of the same episodes; returns the decision and its reason.

    Observations far outside of what the normaliser learnt from drive a network where it was never trained; clipped,
    most deployments win more, but some lose (docs/decisions.md, "What the refiner learns from").
    """
    p_value = paired_p_value(base.strict, clipped.strict)
    pays = clipped.rate.value > base.rate.value and p_value < LEVEL
    evidence = f"clipped {clipped.rate}, as it is {base.rate}; McNemar p = {p_value:.1e}"
    return pays, f"observations {'are' if pays else 'are not'} clipped: {evidence}"


def ready_to_learn(start: Agent, *, clock_steps: tuple[float, ...], lstm: int, episode_steps: int, seed: int) -> Agent:
    """Add a clock and a memory to a policy without changing its actions.

    Args:
        start: The policy; an existing clock or memory stays.
        clock_steps: Periods of the clock, in policy steps.
        lstm: Units of the memory; 0 adds none.
        episode_steps: Policy steps of an episode.
        seed: Seed of the memory's weights.
    """
    spec = start.spec
    clock = spec.clock or tuple(period / episode_steps for period in clock_steps)
    return start.extended(replace(spec, clock=clock, lstm=spec.lstm or lstm), seed)
