"""The whole bench in small: it runs, finds the guard at rest, writes its keys and keeps those of others."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from experiments.bench.__main__ import main
from experiments.bench.figures import Effort
from experiments.bench.lockstep import at_rate, run
from experiments.bench.networks import onnx_policy, random_network
from experiments.bench.tick import tick_step
from experiments.results_file import merge_results
from refinery.errors import RefineryError
from refinery.paths import config_file
from refinery.task import Task, load_task

pytestmark = pytest.mark.usefixtures("ros_domain")
KEYS = {
    "tick_over_inference_mlp",
    "tick_over_inference_lstm",
    "tick_over_inference_lstm_cpu",
    "tick_over_inference_lstm_slow",
    "tick_p999_us",
    "tick_p999_cpu_us",
    "inference_p999_us",
    "inference_p999_cpu_us",
    "ros_over_echo",
    "sample_init_over_empty_service",
}


@pytest.fixture(scope="module")
def shipped() -> Task:
    return load_task(config_file("tasks", "peg_rect"))


@pytest.mark.ros
@pytest.mark.slow
def test_the_bench_merges_its_figures_into_the_results(tmp_path: Path) -> None:
    out = tmp_path / "results" / "bench.json"
    merge_results(out, {"envsteps_over_mjstep": 1.0, "tick_p999_us": -1.0, "commit": "abc"})
    assert main(["--quick", "--out", str(out), "--environments", "2"]) == 0
    figures = json.loads(out.read_text())
    assert figures["envsteps_over_mjstep"] == 1.0 and figures["commit"] == "abc"
    assert set(figures) > KEYS
    assert all(math.isfinite(figures[key]) and figures[key] > 0 for key in KEYS)
    assert set(figures["tick_overhead_us"]) == {"mlp", "lstm"} and figures["tick_build"] == "compiled"
    assert figures["tick_conditions"]["involuntary_switches"] >= 0 <= figures["tick_conditions"]["steal_share"] <= 1
    loop = figures["lockstep_1khz"]
    assert 0 <= loop["cpu_share_within_budget"] <= 1
    assert loop["simulated_s"] == 0.6 and 0 <= loop["share_within_budget"] <= 1


def test_what_is_wrong_with_a_task_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench.json"
    assert main(["--quick", "--task", "no_such_task", "--out", str(out)]) == 1
    assert "no_such_task" in capsys.readouterr().err
    assert not out.exists()


def test_an_effort_of_nothing_is_refused() -> None:
    with pytest.raises(RefineryError, match="ticks"):
        Effort(ticks=0)


def test_ticks_that_the_guard_disturbs_are_no_measurement(shipped: Task) -> None:
    slow = dataclasses.replace(shipped, limits=dataclasses.replace(shipped.limits, max_speed_m_s=1e-4))
    prepare = tick_step(slow, onnx_policy(random_network(), servo_gain=50.0))
    with pytest.raises(RefineryError, match="expected undisturbed ticks"):
        for _ in range(20):
            prepare()()


def test_a_task_at_another_rate_moves_as_fast(shipped: Task) -> None:
    fast = at_rate(shipped, 1000.0)
    speeds = [np.multiply(task.control.action_scale, task.control.policy_rate_hz) for task in (fast, shipped)]
    np.testing.assert_allclose(*speeds)


def test_the_loop_runs_in_lockstep(shipped: Task) -> None:
    loop = run(shipped, simulated_s=0.2)
    assert len(loop.ticks.seconds) == 200
