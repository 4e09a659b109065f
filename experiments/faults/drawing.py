"""Which faults a campaign injects, and when: every case at random moments, then kinds, lengths and sizes at random."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from experiments.faults import cells
from experiments.faults.expectations import CASES, DURING, PROCESS, Case
from experiments.faults.injecting import Injection
from refinery_twin.faults import KINDS

CASE_SHARE = 0.4
"""Share of the injections that are cases with an expected outcome."""
_KILLS = 0.015
_PROCESS = 0.06
_CELLS = 0.10
_EARLY = 0.15
_STANDING = 0.3
_DEFAULT = 0.3
_LAST_DELAY_S = 1.4


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One injection of a campaign."""

    injection: Injection
    """What to do."""
    case: Case | None = None
    """The case with the expected outcome, if there is one."""


def draw(count: int, seed: int) -> list[Drawn]:
    """Draw a campaign.

    Args:
        count: Injections, >= 1.
        seed: Equal seeds give equal campaigns, >= 0.

    Returns:
        The injections, shuffled.
    """
    rng = np.random.default_rng(seed)
    rounds = max(1, int(CASE_SHARE * count / len(CASES)))
    cases = [_of_case(case, rng) for _ in range(rounds) for case in CASES]
    order = rng.permutation(len(cases))[:count]
    drawn = [cases[index] for index in order]
    drawn += [Drawn(injection=injection) for injection in _at_random(count - len(drawn), rng)]
    return [drawn[index] for index in rng.permutation(len(drawn))]


def _of_case(case: Case, rng: np.random.Generator) -> Drawn:
    # After the hand-over, however late it comes: what a fault leads to differs before the first policy step.
    delay_s = 0.0 if case.early else float(rng.uniform(0.5, 1.1))
    # What a slow node does shows after a while.
    timeout_s = 4.0 if case in PROCESS else 2.5
    return Drawn(
        injection=Injection(
            kind=case.kind,
            stream=case.stream,
            seed=_trial(rng),
            early=case.early,
            delay_s=delay_s,
            timeout_s=timeout_s,
        ),
        case=case,
    )


def _at_random(count: int, rng: np.random.Generator) -> Iterator[Injection]:
    for _ in range(count):
        pick = rng.random()
        if pick < _KILLS:
            yield Injection(kind="killed_node", seed=_trial(rng), delay_s=_delay(rng))
        elif pick < _PROCESS:
            yield Injection(
                kind="stalled_node", seed=_trial(rng), delay_s=_delay(rng), duration_s=float(rng.uniform(0.1, 1.5))
            )
        elif pick < _CELLS:
            kind = tuple(cells.INJECT)[int(rng.integers(len(cells.INJECT)))]
            yield Injection(kind=kind, seed=_trial(rng), delay_s=_delay(rng), timeout_s=4.0)
        else:
            yield _of_twin(rng)


def _of_twin(rng: np.random.Generator) -> Injection:
    case = DURING[int(rng.integers(len(DURING)))]
    usual = KINDS[case.kind].default
    early = rng.random() < _EARLY
    return Injection(
        kind=case.kind,
        stream=case.stream,
        seed=_trial(rng),
        early=early,
        delay_s=0.0 if early else _delay(rng),
        duration_s=0.0 if early or rng.random() < _STANDING else _between(rng, 0.02, 1.0),
        magnitude=0.0 if rng.random() < _DEFAULT else usual * _between(rng, 0.05, 3.0),
    )


def _trial(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))


def _delay(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.0, _LAST_DELAY_S))


def _between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw with equal odds for every order of magnitude."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
