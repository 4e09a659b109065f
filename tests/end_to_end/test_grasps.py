"""A task whose part sits differently in the hand from start to start, all the way through the real nodes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from end_to_end.running_cell import running_cell
from refinery.config import to_mapping
from refinery.initial_state import GRASP, THETA_NAMES
from refinery.paths import config_file
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle, with_grasps
from refinery.tick.recording import Recording
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.run import FIRST_SEED, run_trials
from refinery_msgs.msg import Outcome

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def task() -> Task:
    return with_grasps(load_task(config_file("tasks", "peg_rect")))


@pytest.fixture(scope="module")
def client(task: Task, records: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TrialClient]:
    folder = tmp_path_factory.mktemp("grasps")
    file = folder / "peg_rect.yaml"
    file.write_text(yaml.safe_dump(to_mapping(task)))
    with running_cell(tiny_bundle(folder / "bundle", task), records, folder, file) as client:
        yield client


def test_every_trial_is_held_placed_and_inserted_by_its_grasp(client: TrialClient, records: Path) -> None:
    before = set(records.glob("*.npz"))
    trials = run_trials(client, 1, seed=0, report=lambda share, note: None)
    for trial in trials:
        assert trial.placed, trial.reason
    files = sorted(set(records.glob("*.npz")) - before)
    assert len(files) == len(trials) == 2
    for trial, file in zip(trials, files, strict=True):
        # The stand-in policy presses as it likes: the guard may stop it, which is an insertion that ran all the same.
        assert trial.outcome in ("success", "failed", "stopped"), trial.reason
        grasp = np.array(trial.theta)[GRASP]
        assert np.all(grasp != 0.0)
        np.testing.assert_array_equal(Recording.load(file).grasp, grasp)


def test_the_plug_really_starts_where_the_sampler_meant_it_to(client: TrialClient, task: Task) -> None:
    seed = FIRST_SEED + 7
    answer = client.sample("uniform", seed, client.new_cell(seed))
    grasp = tuple(answer.theta[GRASP])
    client.new_cell(seed, grasp)
    placed = client.place("uniform", seed)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    # The stand-in policy presses as it likes: the guard may stop it, long after the start that is looked at here.
    assert client.insert(1, grasp).outcome.value in (Outcome.SUCCESS, Outcome.FAILED, Outcome.STOPPED)
    truth = client.truth()
    assert tuple(truth.theta_names) == THETA_NAMES
    off = np.abs(np.array(truth.theta) - placed.theta)
    # The placement knows the socket only by a mean of jittering estimates.
    jitter, yaw = task.noise.estimate_jitter_m, task.noise.estimate_bias_yaw_rad
    assert np.all(off[:3] < jitter + 1e-3) and np.all(off[3:6] < 0.02 + 3 * yaw) and np.all(off[GRASP] == 0.0)


def test_a_grasp_that_is_none_is_refused_and_nothing_moves(client: TrialClient) -> None:
    client.new_cell(3)
    assert client.place("best", 3).outcome.value == Outcome.SUCCESS
    for grasp, sentence in (([0.0], "grasp: expected 3 numbers"), ([0.0, 0.0, 1.0], "grasp: grasp_pitch: expected")):
        refused = client.insert(2, grasp)
        assert refused.outcome.value == Outcome.REFUSED and refused.ticks == 0
        assert sentence in refused.outcome.message
    assert client.truth().max_force_n == 0.0
