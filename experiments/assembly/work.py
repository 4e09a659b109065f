"""Pieces of the study for several processes."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context

from experiments.assembly.policies import Condition, StepPolicy, load_policies
from experiments.assembly.records import AssemblyRecord
from experiments.assembly.runner import AssemblyRunner
from refinery.robot_profile import load_robot_profile
from refinery.sequence.sequence import load_sequence
from refinery_sim_train.console import console


@dataclass(frozen=True, kw_only=True)
class Work:
    """One assembly, or one step alone, for a process."""

    sequence: str
    """Name of the sequence."""
    condition: Condition
    """Its policies and starts."""
    seed: int
    """Of all its random numbers."""
    step: int = -1
    """Index of the step that is done alone; negative: all."""


def run_all(jobs: int, work: list[Work]) -> list[AssemblyRecord]:
    """Run pieces of work in some processes, each on one core.

    Returns:
        Their records, in order.
    """
    if jobs == 1:
        return [_done(item) for item in work]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        return list(_counted(pool.map(_done, work, chunksize=4), len(work)))


def _counted(records: Iterable[AssemblyRecord], total: int) -> Iterable[AssemblyRecord]:
    every = max(1, total // 10)
    for i, record in enumerate(records, 1):
        if i % every == 0:
            console.print(f"  {i} of {total}")
        yield record


def _done(work: Work) -> AssemblyRecord:
    """Run one piece of work; a process keeps the last cell and policies."""
    runner, policies = _made(work.sequence, work.condition)
    if work.step < 0:
        return runner.assemble(policies, work.seed)
    return runner.run_alone(work.step, policies[runner.sequence.steps[work.step].name], work.seed)


@lru_cache(maxsize=1)
def _made(sequence: str, condition: Condition) -> tuple[AssemblyRunner, dict[str, StepPolicy]]:
    loaded = load_sequence(sequence)
    return AssemblyRunner(loaded, load_robot_profile("twin")), load_policies(loaded, condition)
