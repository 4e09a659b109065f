"""Trials on the twin, recorded, replayed, and one of them with a disk that fills up."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader

from refinery.bringup.node_spec import NodeSpec
from refinery.errors import ConfigError
from refinery.storage import read_json, write_whole
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.replaying.episode import read_episodes
from refinery_evaluation.replaying.replay import bundle_of, replay
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.bringup import twin_cell
from refinery_evaluation.trials.records import read_trials, write_trials
from refinery_evaluation.trials.run import MODES, one_trial
from refinery_evaluation.trials.trial_recorder import BAGS, BagRecorder, recorder_spec

RECORDS, COMPLAINTS = "trials.json", "complaints.json"
"""Files beside the bags: how the trials ended, and what the recorder complained of."""
FIRST_SEED = 30_000_000
"""Cells of these trials; no other stream of seeds uses the numbers from here on."""
LEFT_B = 400_000
"""Bytes left on the small disk when the second trial begins, half of what its bag takes."""


def record_trials(
    bundle: Path, folder: Path, count: int, seed: int, *, realtime_factor: float, min_free_mb: int = 50
) -> tuple[list[TrialRecord], list[str]]:
    """Run and record trials; goes on after those whose records are in the folder already.

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
    spec = _with(recorder_spec("twin", folder), min_free_mb=min_free_mb)
    starts = list(MODES.items())
    kept = folder / RECORDS
    said: list[str] = read_json(folder / COMPLAINTS)["said"] if kept.exists() else []
    records = read_trials(kept, bundle) if kept.exists() else []
    if len(records) >= count:
        return records, said
    with twin_cell(bundle, folder / "logs", realtime_factor=realtime_factor, more=[spec]) as (node, client):
        recorder = BagRecorder(node, client.result, folder, "all", said.append)
        task = client.task()
        for number in range(len(records), count):
            kind, mode = starts[number % len(starts)]
            recorder.begin(number, 1 + len(list((folder / BAGS).glob(f"trial_{number + 1:04d}*"))))
            records.append(one_trial(client, number, kind, mode, FIRST_SEED + 1000 * seed + number))
            recorder.end(records[-1].strict)
            write_whole(folder / COMPLAINTS, json.dumps({"said": said}) + "\n")
            write_trials(kept, task, records)
    return records, said


def replay_all(folder: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Compute every recorded insertion again.

    Args:
        folder: As given to :func:`record_trials`.
        say: Takes a line for each that is not exact.

    Returns:
        Insertions, those that came out the same to the last bit, their policy steps, and bags without any: of trials
        that were not placed.
    """
    exact = total = steps = empty = 0
    for bag in sorted((folder / BAGS).iterdir()):
        if not list(bag.glob("*.mcap")):
            continue
        try:
            episodes = read_episodes(bag)
        except ConfigError as error:
            empty += 1
            say(str(error))
            continue
        for episode in episodes:
            result = replay(episode, bundle_of(episode))
            total += 1
            steps += result.steps
            exact += result.exact
            if not result.exact:
                say(f"{bag.name}: {result}")
    return {"replay_exact": exact, "replay_total": total, "replay_steps": steps, "replay_without_steps": empty}


def fill_disk(bundle: Path, disk: Path, logs: Path, seed: int, *, realtime_factor: float) -> dict[str, Any]:
    """Run three trials that are recorded on a small disk, which the bag of the second one fills up.

    Args:
        bundle: What runs.
        disk: Folder on a file system of some 20 MB.
        logs: Where the nodes' output goes, elsewhere.
        seed: Of the cells.
        realtime_factor: Speed of the twin.

    Returns:
        Trials that ended by themselves and how, what the recorder said, and the messages in each bag afterwards.
    """
    said: list[str] = []
    spec = _with(recorder_spec("twin", disk), min_free_mb=0)
    records = []
    with twin_cell(bundle, logs, realtime_factor=realtime_factor, more=[spec]) as (node, client):
        recorder = BagRecorder(node, client.result, disk, "all", said.append)
        for number in range(3):
            recorder.begin(number, 1)
            if number == 1:
                _fill(disk / "filler", but=LEFT_B)
            records.append(one_trial(client, number, "uniform", MODES["uniform"], FIRST_SEED + 1000 * seed + number))
            recorder.end(records[-1].strict)
    (disk / "filler").unlink()
    recover_all(disk / BAGS)
    return {
        "trials": len(records),
        "trials_ended": sum(record.placed and record.outcome in ("success", "failed") for record in records),
        "outcomes": [f"{record.outcome}, {record.guard}" for record in records],
        "messages": {bag.name: _messages(bag) for bag in sorted((disk / BAGS).glob("trial_*"))},
        "said": said,
    }


def _fill(path: Path, but: int) -> None:
    """Fill a file system up to the last bytes."""
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(path.parent).free - but)


def _messages(bag: Path) -> int:
    """Count the messages of a bag with a reader that shares no code with the writer; 0 if there is none."""
    if not list(bag.glob("*.mcap")):
        return 0
    with AnyReader([bag]) as reader:
        return sum(1 for _ in reader.messages())


def _with(spec: NodeSpec, **parameters: Any) -> NodeSpec:
    return dataclasses.replace(spec, parameters={**spec.parameters, **parameters})
