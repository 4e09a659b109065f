"""What the node computed is what the training environment's code computes from the same measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinery.bundle import Bundle
from refinery.errors import ConfigError
from refinery.task import Task
from refinery.testing.lagging_cell import LaggingCell, run_episode
from refinery.tick.recording import Recorder, Recording
from refinery.tick.replay import replay
from refinery.tick.runtime import PolicyRuntime


def test_recorded_episodes_replay_in_a_batch(bundle: Bundle, task: Task, tmp_path: Path) -> None:
    runtime = PolicyRuntime(bundle)
    runtime.recorder = Recorder(task.hash(), runtime.policy.observation_size)
    box, rng = task.initial_state.deployed, np.random.default_rng(5)
    recordings = []
    for episode in range(4):
        run_episode(runtime, LaggingCell(task, episode, box.uniform(1, rng)[0]))
        runtime.recorder.recording().save(tmp_path / f"{episode}.npz")
        recordings.append(Recording.load(tmp_path / f"{episode}.npz"))
    policy = bundle.open_policy()
    again = replay(task, recordings, lambda obs: np.concatenate([policy(row[None]) for row in obs]))
    assert again.observation.shape == (4, task.control.episode_steps, policy.observation_size)
    for row, recording in enumerate(recordings):
        assert recording.task_hash == task.hash()
        np.testing.assert_allclose(again.observation[row], recording.observation, atol=1e-6)
        np.testing.assert_allclose(again.action[row], recording.action, atol=1e-6)
        np.testing.assert_allclose(again.target_pos_m[row], recording.target_pos_m, atol=1e-9)
        np.testing.assert_allclose(again.target_quat_xyzw[row], recording.target_quat_xyzw, atol=1e-9)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 50])
def test_a_file_that_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.npz").write_bytes(content)
    with pytest.raises(ConfigError, match="recording"):
        Recording.load(tmp_path / "r.npz")
