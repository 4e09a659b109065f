"""Kills recorders at random moments and reads what they leave with a library that shares no code with them."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from refinery_evaluation.recording.recorder import Recorder, RecorderSettings
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.recording.topic import BagTopic
from refinery_evaluation.recording.types import definition, type_hash
from refinery_msgs.msg import PolicyTick

KIND = "refinery_msgs/msg/PolicyTick"
RATE_HZ = 500.0
_LONGEST_S = 3.0
_SLACK_S = 0.5
"""How late a flush may be on a busy machine, [s]."""


def kill_recorders(folder: Path, count: int, seed: int) -> dict[str, float]:
    """Kill ``count`` recorders, one after the other, and read their bags.

    Args:
        folder: For the bags.
        count: Recorders.
        seed: Of the moments.

    Returns:
        How many were killed, how many bags were read whole up to the last flush, and the longest time lost, [s].
    """
    rng = random.Random(seed)
    topic = BagTopic(name="/refinery_policy/tick", type=KIND, definition=definition(KIND), type_hash=type_hash(KIND))
    readable, longest_s = 0, 0.0
    for number in range(count):
        bag = folder / f"killed_{number:03d}"
        killed_s = _kill_one(bag, topic, rng.uniform(0.05, _LONGEST_S))
        ((found, messages),) = recover_all(folder)
        with AnyReader([found]) as reader:
            ticks: list[Any] = [reader.deserialize(raw, kind.msgtype) for kind, _, raw in reader.messages()]
        whole = [tick.step for tick in ticks] == list(range(len(ticks))) and len(ticks) == messages
        lost_s = killed_s - ticks[-1].now_s if ticks else 0.0
        longest_s = max(longest_s, lost_s)
        readable += whole and lost_s < RecorderSettings.flush_s + _SLACK_S
    return {"killed_recorders": count, "killed_readable": readable, "longest_lost_s": round(longest_s, 2)}


def _kill_one(bag: Path, topic: BagTopic, after_s: float) -> float:
    """Record in a process of its own and kill it; returns when, by the steady clock [s]."""
    pid = os.fork()
    if pid == 0:
        recorder, step = Recorder(RecorderSettings()), 0
        recorder.begin(bag, time.monotonic())
        while True:
            now_s = time.monotonic()
            recorder.add(topic, time.time_ns(), serialize_message(PolicyTick(step=step, now_s=now_s)))
            recorder.tick(now_s)
            step += 1
            time.sleep(1.0 / RATE_HZ)
    while not bag.is_dir():
        time.sleep(0.001)
    time.sleep(after_s)
    killed_s = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return killed_s
