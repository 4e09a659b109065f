"""From a checkpoint to a bundle, or to the list of what differs."""

import json

import numpy as np
import pytest
import torch
import yaml
from rl_games_checkpoint import rl_games_state
from typed_command import run

from refinery.bundle import OnnxPolicy, load_bundle
from refinery.config import to_mapping
from refinery.paths import config_file
from refinery_sim_train.checkpoints.contract import Contract
from refinery_sim_train.checkpoints.policy import ImportedPolicy
from refinery_sim_train.checkpoints.read import read_actor
from refinery_sim_train.cli import import_policy
from refinery_sim_train.export_onnx import export_policy
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.weights import shipped_base


@pytest.fixture
def files(task, tmp_path):
    """The actor of a policy that wins as a checkpoint of rsl_rl, and its contract."""
    torch.save({"actor_state_dict": Agent.load(shipped_base(task)).actor.state_dict()}, tmp_path / "model.pt")
    contract = to_mapping(Contract.of(task, "rsl_rl"))
    (tmp_path / "contract.yaml").write_text(yaml.safe_dump(contract))
    return tmp_path, contract


def words(folder):
    given = {"checkpoint": folder / "model.pt", "contract": folder / "contract.yaml", "out": folder / "run"}
    return [word for name, value in given.items() for word in (f"--{name}", value)]


def test_a_policy_of_rsl_rl_becomes_a_bundle(files, task, observations):
    folder, _ = files
    given = {"checkpoint": folder / "model.pt", "contract": folder / "contract.yaml", "out": folder / "run"}
    packed = import_policy.import_policy(import_policy.Args(**given, preset="smoke"))
    bundle = load_bundle(packed.bundle)
    assert bundle.task == task and bundle.trained_with.control == task.control and packed.refined.rate.value > 0.5
    manifest = json.loads((packed.bundle / "manifest.json").read_text())
    assert manifest["provenance"]["imported"]["library"] == "rsl_rl"
    assert manifest["provenance"]["simulator"]["backend"] == "mujoco"
    policy, agent = OnnxPolicy(bundle.policy_path), Agent.load(shipped_base(task))
    for row in observations.flatten(0, 1)[:, None].numpy():
        assert np.abs(policy(row) - agent.act(row).clip(-1, 1)).max() < 1e-4


def test_an_lstm_of_rl_games_passes_the_gate(task, observations, tmp_path):
    """Two layers, normalised, before the hidden layers: as Factory's tasks have it."""
    torch.save({"model": rl_games_state(lstm="first")}, tmp_path / "policy.pth")
    contract = Contract.of(task, "rl_games")
    policy = ImportedPolicy(read_actor(tmp_path / "policy.pth", contract), contract.trained_with())
    content, worst = export_policy(policy, task, observations.numpy())
    assert worst < 1e-5 and OnnxPolicy(content).recurrent


def test_every_difference_of_the_contract_is_listed_and_nothing_is_written(files, monkeypatch, capsys):
    folder, contract = files
    contract["observation"][0]["unit"] = "1 m"
    contract["observation"].pop()
    contract["action"][2] = "drz"
    contract["semantics"] = "pose relative to the fixed part"
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    status, said = run(import_policy, words(folder), monkeypatch, capsys)
    said = " ".join(said.split())
    assert status == 1 and not (folder / "run").exists() and "Refinery-Insertion-Direct" in said
    for difference in ("observation[0]", "1 m", "observation[8] is nothing", "action[2] is drz", "fixed part"):
        assert difference in said


def test_other_gains_are_refused_until_they_are_accepted(files, monkeypatch, capsys):
    folder, contract = files
    contract["control"]["stiffness"][0] = 55.0
    (folder / "contract.yaml").write_text(yaml.safe_dump(contract))
    status, said = run(import_policy, words(folder), monkeypatch, capsys)
    assert status == 1 and "55 N/m" in said and "--accept-other-gains" in said


def test_the_template_is_a_contract_that_is_accepted(task, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["import_policy", "--template", "rsl_rl"])
    import_policy.main()
    assert yaml.safe_load(capsys.readouterr().out) == to_mapping(Contract.of(task, "rsl_rl"))
    status, said = run(import_policy, ["--template", "skrl"], monkeypatch, capsys)
    assert status == 1 and "rl_games" in said
    status, said = run(import_policy, ["--contract", config_file("tasks", "peg_rect")], monkeypatch, capsys)
    assert status == 1 and "--template" in said
