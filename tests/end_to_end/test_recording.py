"""A trial recorded beside the running cell opens in another reader and replays to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import rclpy
from rclpy.task import Future
from rosbags.highlevel import AnyReader

from refinery_evaluation.replaying.episode import read_episodes
from refinery_evaluation.replaying.replay import bundle_of, replay
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.run import FIRST_SEED, one_trial
from refinery_evaluation.trials.trial_recorder import BagRecorder

pytestmark = pytest.mark.ros
ROBOT = {"/refinery_policy/tick", "/refinery_policy/episode", "/refinery_policy/status", "/joint_states"}


def test_a_recorded_trial_replays_to_the_last_bit(client: TrialClient, records: Path) -> None:
    node, said = rclpy.create_node("recording_test"), []

    def answer(future: Future, timeout_s: float, name: str) -> Any:
        rclpy.spin_until_future_complete(node, future, timeout_sec=60.0)
        return future.result()

    recorder = BagRecorder(node, answer, records, "all", said.append)
    recorder.begin(0, 1)
    trial = one_trial(client, 0, "uniform", "uniform", FIRST_SEED + 99)
    bag = records / recorder.end(trial.strict)
    node.destroy_node()
    assert said == [] and trial.placed, trial.reason
    with AnyReader([bag]) as reader:
        assert {kind.topic for kind in reader.connections} >= ROBOT
        messages = {kind.topic: reader.deserialize(raw, kind.msgtype) for kind, _, raw in reader.messages()}
    (episode,) = read_episodes(bag)
    assert messages["/refinery_policy/tick"].step == len(episode.ticks) == episode.ticks[-1].step
    assert replay(episode, bundle_of(episode)).exact
