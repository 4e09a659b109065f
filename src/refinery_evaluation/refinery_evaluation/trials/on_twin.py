"""Trials of a bundle on a twin of their own: nodes up, trials, nodes down whatever happens."""

from __future__ import annotations

import contextlib
from pathlib import Path

from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.bringup import twin_cell
from refinery_evaluation.trials.run import run_trials
from refinery_sim_train.console import stage


def trials_on_twin(
    bundle: Path, count: int, seed: int, *, realtime_factor: float, logs: Path, task: str | None = None
) -> list[TrialRecord]:
    """Run trials of both kinds of start.

    Args:
        bundle: The bundle.
        count: Trials of each kind.
        seed: Seed of the run.
        realtime_factor: Speed of the twin.
        logs: Where the nodes' output goes.
        task: The bundle's task, to be sure of it.
    """
    with contextlib.ExitStack() as cell:
        with stage("bring up twin, sampler and policy nodes"):
            _, client = cell.enter_context(
                twin_cell(bundle.resolve(), logs, realtime_factor=realtime_factor, task=task)
            )
        with stage(f"{count} + {count} trials") as update:
            return run_trials(client, count, seed, update)
