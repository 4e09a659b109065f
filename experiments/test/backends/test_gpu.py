"""The script for a GPU plans what fits the time, notes what fails, and tells the simulator's share of the time."""

import dataclasses
import json

import pytest

from experiments.backends import gpu
from experiments.backends.long_refinement import VALIDATIONS, planned
from experiments.backends.throughput import throughput
from refinery_sim_train.settings import read_preset, read_task

TASK = read_task("peg_rect")
QUICK = read_preset("quick")
QUICK_STEPS = 640_000


def steps(spec):
    return spec.rounds * spec.iterations_per_round * spec.environments * spec.ppo.num_steps_per_env


def test_a_fast_simulator_gets_the_steps_asked_for_and_no_more():
    spec = planned(QUICK, TASK, count=2048, times=20.0, steps_per_s=1e6, left_s=400.0)
    assert 0.9 * 20 * QUICK_STEPS < steps(spec) <= 20 * QUICK_STEPS
    assert spec.environments == 2048 and spec.rounds == VALIDATIONS * spec.validate_every


def test_a_slow_one_gets_what_fits():
    spec = planned(QUICK, TASK, count=2048, times=20.0, steps_per_s=20_000, left_s=300.0)
    evaluating_s = 14 * 2048 * TASK.control.episode_steps / 20_000
    assert evaluating_s + 2 * steps(spec) / 20_000 <= 300.0
    assert planned(QUICK, TASK, count=2048, times=20.0, steps_per_s=200, left_s=300.0) is None


def test_shares_of_the_time_add_up():
    found = throughput(TASK, "mujoco", "cpu", 2, 0, longest_s=0.05)
    assert 0.0 < found["physics_share"] < 1.0
    assert found["physics_only_steps_per_s"] > found["environment_steps_per_s"] >= found["with_policy_steps_per_s"]
    assert 1 <= found["policy_steps"] < TASK.control.episode_steps


@pytest.fixture
def args(tmp_path):
    return gpu.Args(device="cuda:99", times=0.0, budget_s=60.0, out=tmp_path / "gpu.json", scratch=tmp_path / "run")


def test_what_fails_is_noted_and_the_rest_goes_on(args, monkeypatch):
    monkeypatch.setattr(gpu, "BACKENDS", ("mujoco", "warp"))
    tried = dataclasses.replace(args, compared=("no_such_task",), rates=(1, 2), rate_s=1.0)
    measuring = gpu.Measuring(tried)
    measuring._simulators["warp"] = {}
    measuring()
    noted = json.loads(args.out.read_text())["not_measured"]
    assert [note.split(":")[0] for note in noted if "environments" in note or "agreement" in note] == [
        "agreement of warp on no_such_task",
        "throughput of warp at 1 environments",
        "throughput of warp at 2 environments",
    ]
