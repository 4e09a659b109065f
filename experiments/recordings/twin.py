"""Trials on the twin, recorded, replayed, and one of them with a disk that fills up."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from refinery.bringup.node_spec import NodeSpec
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.replaying.episode import read_episodes
from refinery_evaluation.replaying.replay import bundle_of, replay
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.bringup import twin_cell
from refinery_evaluation.trials.run import MODES, one_trial
from refinery_evaluation.trials.trial_recorder import BAGS, BagRecorder, recorder_spec

FIRST_SEED = 30_000_000
"""Cells of these trials; no other stream of seeds uses the numbers from here on."""


def record_trials(
    bundle: Path, folder: Path, count: int, seed: int, *, realtime_factor: float, min_free_mb: int = 50
) -> tuple[list[TrialRecord], list[str]]:
    """Run and record trials.

    Args:
        bundle: What runs.
        folder: For bags and logs.
        count: Trials, from uniform and from sampled starts in turn.
        seed: Of the cells.
        realtime_factor: Speed of the twin.
        min_free_mb: The recorder begins no bag with less free space, [MB].

    Returns:
        The trials, and what the recorder complained of.
    """
    said: list[str] = []
    spec = _with(recorder_spec("twin", folder), min_free_mb=min_free_mb)
    starts = list(MODES.items())
    records = []
    with twin_cell(bundle, folder / "logs", realtime_factor=realtime_factor, more=[spec]) as (node, client):
        recorder = BagRecorder(node, client.result, folder, "all", said.append)
        for number in range(count):
            kind, mode = starts[number % len(starts)]
            recorder.begin(number, 1)
            records.append(one_trial(client, number, kind, mode, FIRST_SEED + 1000 * seed + number))
            recorder.end(records[-1].strict)
    return records, said


def replay_all(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Compute every recorded insertion again.

    Args:
        folder: As given to :func:`record_trials`.
        say: Takes a line for each that is not exact.

    Returns:
        Insertions, those that came out the same to the last bit, and their policy steps.
    """
    exact = total = steps = 0
    for bag in sorted((folder / BAGS).iterdir()):
        if not list(bag.glob("*.mcap")):
            continue
        for episode in read_episodes(bag):
            result = replay(episode, bundle_of(episode))
            total += 1
            steps += result.steps
            exact += result.exact
            if not result.exact:
                say(f"{bag.name}: {result}")
    return {"replay_exact": exact, "replay_total": total, "replay_steps": steps}


def fill_disk(bundle: Path, disk: Path, logs: Path, seed: int, *, realtime_factor: float) -> dict[str, Any]:
    """Run three trials that are recorded on a small disk, which is full from the middle of the second one on.

    Args:
        bundle: What runs.
        disk: Folder on a file system of some 20 MB.
        logs: Where the nodes' output goes, elsewhere.
        seed: Of the cells.
        realtime_factor: Speed of the twin.

    Returns:
        Trials that ended by themselves, messages that were lost, and bags that can be read afterwards.
    """
    said: list[str] = []
    spec = _with(recorder_spec("twin", disk), min_free_mb=0)
    records = []
    with twin_cell(bundle, logs, realtime_factor=realtime_factor, more=[spec]) as (node, client):
        recorder = BagRecorder(node, client.result, disk, "all", said.append)
        for number in range(3):
            recorder.begin(number, 1)
            if number == 1:
                _fill(disk / "filler")
            records.append(one_trial(client, number, "uniform", MODES["uniform"], FIRST_SEED + 1000 * seed + number))
            recorder.end(records[-1].strict)
    (disk / "filler").unlink()
    recover_all(disk / BAGS)
    readable = sum(bool(list(bag.glob("*.mcap"))) for bag in (disk / BAGS).glob("trial_*"))
    ended = sum(record.placed and record.outcome in ("success", "failed", "stopped") for record in records)
    return {"disk_trials": len(records), "disk_trials_ended": ended, "disk_bags_readable": readable, "disk_said": said}


def _fill(path: Path) -> None:
    """Write until the file system is full."""
    with contextlib.suppress(OSError), path.open("wb", buffering=0) as file:
        while file.write(bytes(65_536)):
            pass


def _with(spec: NodeSpec, **parameters: Any) -> NodeSpec:
    return dataclasses.replace(spec, parameters={**spec.parameters, **parameters})
