"""A refinement in Isaac Lab from the shipped base policy to a bundle, by the command that users type."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from refinery.bundle import load_bundle
from refinery.npz import load_arrays
from refinery.paths import config_file
from refinery.testing.lagging_cell import LaggingCell, run_episode
from refinery.tick.runtime import PolicyRuntime
from refinery_sim_train.backends.registry import simulator
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import shipped_base

MOUTH = "{x: [0, 0], y: [0, 0], z: [0.002, 0.006], roll: [0, 0], pitch: [0, 0], yaw: [-0.01, 0.01]}"
TASK = f"""
extends: {config_file("tasks", "peg_rect")}
name: in_the_hole
description: short episodes that start in the mouth of the hole
control: {{episode_s: 0.8}}
noise: {{estimate_bias_m: 0.0, estimate_bias_yaw_rad: 0.0}}
initial_state:
  trained_in: {MOUTH}
  deployed_in: {MOUTH}
"""
# Every stage is one batch of episodes: a step costs the same for one environment as for thirty.
PRESET = f"""
extends: {config_file("refine", "smoke")}
observation_clip: 0.0
environments: 24
search_episodes: 24
validation_episodes: 8
mixture_episodes: 24
test_episodes: 8
gate_episodes: 8
ppo: {{num_steps_per_env: 14}}
"""


class Command:
    """``refine`` with this task and preset."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "run"
        task, preset = folder / "in_the_hole.yaml", folder / "few.yaml"
        task.write_text(TASK)
        preset.write_text(PRESET)
        program = Path(sys.executable).with_name("refine")
        base = shipped_base(read_task("peg_rect"))
        words = ["--task", task, "--preset", preset, "--base", base, "--accept-other-gains", "--out", self.out]
        self._words = [program, *words, "--backend", "isaaclab", "--no-report"]

    def __call__(self, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._words, *more], capture_output=True, text=True, timeout=1500, check=False)

    def stages(self) -> dict[str, dict[str, np.ndarray]]:
        return {file.name: load_arrays(file) for file in self.out.glob("*.npz")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The command after it has run once."""
    command = Command(tmp_path_factory.mktemp("refine"))
    done = command()
    assert done.returncode == 0, done.stdout + done.stderr
    return command


@pytest.mark.timeout(1800)
def test_its_bundle_says_what_made_it_and_drives_a_plug_down(finished):
    bundle = load_bundle(finished.out / "bundle")
    provenance, evaluation = bundle.manifest["provenance"], bundle.manifest["evaluation"]
    assert provenance["simulator"] == simulator("isaaclab", "cpu").to_json()
    assert evaluation["parity_max_error"] < 1e-5
    assert evaluation["refined"]["k"] >= 6
    cell = LaggingCell(bundle.task)
    assert len(run_episode(PolicyRuntime(bundle), cell)) == bundle.task.control.episode_steps
    way_m = (cell.plug.pos_m - cell.socket.pos_m)[0]
    assert np.abs(way_m[:2]).max() < 0.005 and way_m[2] < 0.0


@pytest.mark.timeout(1800)
def test_a_run_that_was_cut_off_is_resumed_to_the_same_figures(finished):
    before = finished.stages()
    for name in ("agent_2", "validation_round_2", "test_refined"):
        (finished.out / f"{name}.npz").unlink()
    refused = finished()
    assert refused.returncode == 1 and "--resume" in refused.stdout
    done = finished("--resume")
    assert done.returncode == 0, done.stdout + done.stderr
    after = finished.stages()
    assert after.keys() == before.keys()
    for name, arrays in before.items():
        assert all(np.array_equal(after[name][key], value) for key, value in arrays.items()), name
