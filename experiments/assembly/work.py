"""Pieces of the study for several processes."""

from __future__ import annotations

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

from experiments.assembly.policies import Condition, StepPolicy, load_policies
from experiments.assembly.records import AssemblyRecord
from experiments.assembly.runner import AssemblyRunner
from refinery.config import from_mapping, to_mapping
from refinery.robot_profile import load_robot_profile
from refinery.sequence.sequence import load_sequence
from refinery.storage import append_line, resume_lines
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


def run_all(jobs: int, work: list[Work], log: Path) -> list[AssemblyRecord]:
    """Run pieces of work in some processes, each on one core; what the log has is not run again.

    Args:
        jobs: Processes.
        work: What is run.
        log: Gets a line for every piece when it is done.

    Returns:
        Their records, in order.

    Raises:
        RefineryError: The log cannot be read or written, or has other records.
    """
    records = {
        (row["condition"], row["step"], row["seed"]): from_mapping(row["record"], AssemblyRecord, source=log)
        for row in resume_lines(log)[0]
    }
    left = [item for item in work if _key(item) not in records]
    if len(left) < len(work):
        console.print(f"  {len(work) - len(left)} of {len(work)} done before ({log})")
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        for i, (item, record) in enumerate(zip(left, pool.map(_done, left, chunksize=4), strict=True), 1):
            condition, step, seed = _key(item)
            row = {"condition": condition, "step": step, "seed": seed, "record": to_mapping(record)}
            append_line(log, json.dumps(row))
            records[_key(item)] = record
            if i % max(1, len(left) // 10) == 0:
                console.print(f"  {i} of {len(left)}")
    return [records[_key(item)] for item in work]


def _key(work: Work) -> tuple[str, int, int]:
    return work.condition.name, work.step, work.seed


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
