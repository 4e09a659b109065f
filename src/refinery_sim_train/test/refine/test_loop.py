import dataclasses
import json
import shutil

import numpy as np
import pytest
from tiny_run import SPEC, refine

from refinery.bundle import OnnxPolicy, load_bundle
from refinery.errors import ConfigError, RefineryError
from refinery.statistics import paired_p_value
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.fine_tune import LEARNING, FineTuning
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.refine.sources import GuidedSource


def test_a_run_ends_in_a_bundle_that_loads_and_says_where_it_came_from(task, whole):
    result, _ = whole
    bundle = load_bundle(result.bundle)
    assert bundle.task == task
    manifest = json.loads((result.bundle / "manifest.json").read_text())
    assert manifest["evaluation"]["refined"] == result.refined.rate.to_json()
    assert manifest["evaluation"]["parity_max_error"] < 1e-4
    assert {"git_revision", "versions", "seed", "env_steps", "date"} <= manifest["provenance"].keys()
    action = OnnxPolicy(bundle.policy_path)(np.zeros((1, 28), np.float32))
    assert action.shape == (1, 6) and np.all(np.abs(action) <= 1)


def test_base_and_base_with_clip_are_reported_beside_the_refined_policy(whole):
    result, _ = whole
    evaluation = json.loads((result.bundle / "manifest.json").read_text())["evaluation"]
    assert evaluation["base"] == result.base.rate.to_json()
    assert evaluation["base_clipped"] == result.clipped.rate.to_json()
    assert evaluation["paired_p_value_clipped"] == paired_p_value(result.clipped.strict, result.refined.strict)
    assert result.stronger.rate.value == max(result.base.rate.value, result.clipped.rate.value)
    # The same episodes for all, the search with the clip among what is charged.
    assert np.array_equal(result.base.estimate_error_m, result.clipped.estimate_error_m)
    steps = result.task.control.episode_steps
    trained = SPEC.rounds * SPEC.iterations_per_round * SPEC.environments * SPEC.ppo.num_steps_per_env
    assert result.env_steps == 2 * SPEC.search_episodes * steps + trained


def test_a_training_that_ruins_the_policy_ships_the_better_of_base_and_base_with_clip(task, student, tmp_path):
    ruinous = dataclasses.replace(SPEC.ppo, learning_rate=0.3, max_kl=1e9, critic_warmup=0)
    result = refine(task, student, tmp_path / "run", spec=dataclasses.replace(SPEC, ppo=ruinous))
    won = {
        name: np.load(tmp_path / "run" / f"validation_{name}.npz")["strict"].mean()
        for name in ("base", "base_clipped", "round_1", "round_2")
    }
    provenance = json.loads((result.bundle / "manifest.json").read_text())["provenance"]
    assert provenance["kept_round"] == 0 and max(won["round_1"], won["round_2"]) < won["base"]
    clipped = won["base_clipped"] > won["base"]
    assert provenance["observation_clip"] == (SPEC.observation_clip if clipped else 0.0)
    assert np.array_equal(result.refined.strict, (result.clipped if clipped else result.base).strict)


def test_the_settings_say_where_training_episodes_start(task, student, tmp_path):
    small = dataclasses.replace(SPEC, source="uniform", rounds=1)
    small = dataclasses.replace(small, observation_clip=0.0, clock_steps=(10.0,), lstm=8)
    result = refine(task, student, tmp_path / "run", spec=small)
    assert result.clipped is None and result.stronger is result.base
    trained = Agent.load(tmp_path / "run" / "agent_1.npz").spec
    length = task.control.episode_steps
    assert (trained.observation_clip, trained.clock, trained.lstm) == (0.0, (10 / length,), 8)
    # A uniform source remembers nothing.
    assert not [name for name in np.load(tmp_path / "run" / "fine_tuning" / "state.npz") if "source" in name]
    with pytest.raises(ConfigError, match="source: expected one of auto, uniform, resampled, guided, got 'gided'"):
        dataclasses.replace(SPEC, source="gided")


def test_a_killed_run_resumes_to_the_same_result(task, student, whole, tmp_path):
    whole, path = whole
    # As if it had been killed in the first round of fine-tuning: what came after is gone.
    shutil.copytree(path, tmp_path / "cut")
    shutil.rmtree(tmp_path / "cut" / "bundle")
    for name in ("agent_1", "agent_2", "validation_round_1", "mixture", "test_refined", "fine_tuning/state"):
        (tmp_path / "cut" / f"{name}.npz").unlink()
    again = refine(task, student, tmp_path / "cut", resume=True)
    assert np.array_equal(whole.refined.strict, again.refined.strict)
    assert np.allclose(whole.mixture.means, again.mixture.means)
    first, second = (OnnxPolicy(r.bundle / "policy.onnx") for r in (whole, again))
    x = np.random.default_rng(0).normal(size=(1, 28)).astype(np.float32)
    assert np.array_equal(first(x), second(x))


def test_fine_tuning_goes_on_between_rounds_to_the_same_weights(task, student, tmp_path):
    def tuning(folder):
        source = GuidedSource(task.initial_state.deployed, 64, SPEC.acquisition, SPEC.success_fit)
        env = make_env(task, SPEC.environments)
        return FineTuning(student, env, source, SPEC.ppo, seed=3, rounds=3, iterations_per_round=2, folder=folder)

    whole = tuning(tmp_path / "whole")
    for _ in range(3):
        whole.round()
    cut = tuning(tmp_path / "cut")
    for _ in range(2):
        cut.round()
    # Rows of a round that was cut off are not counted twice.
    with (tmp_path / "cut" / LEARNING).open("a") as file:
        file.write("{}\n")
    again = tuning(tmp_path / "cut")
    assert again.rounds == 2
    again.round()
    rows = [(tmp_path / name / LEARNING).read_text() for name in ("whole", "cut")]
    assert rows[0] == rows[1] and len(rows[0].splitlines()) == 6
    x = np.random.default_rng(0).normal(size=(4, 28)).astype(np.float32)
    assert np.array_equal(whole.agent.act(x), again.agent.act(x))


def test_another_runs_folder_is_refused(tmp_path):
    RunFolder(tmp_path / "run", {"seed": 1}, resume=False)
    with pytest.raises(RefineryError, match="--resume"):
        RunFolder(tmp_path / "run", {"seed": 1}, resume=False)
    with pytest.raises(RefineryError, match="another task, settings or seed"):
        RunFolder(tmp_path / "run", {"seed": 2}, resume=True)
