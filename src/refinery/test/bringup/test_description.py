import importlib
import json
import shutil
from pathlib import Path

import pytest
import yaml

from refinery import extends
from refinery.bringup.description import describe_bringup
from refinery.bringup.node_spec import NodeSpec, with_overrides
from refinery.bundle import load_bundle
from refinery.bundled_task import named_task
from refinery.errors import BundleError, ConfigError, RefineryError
from refinery.parameters import fitting
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


def test_the_twin_comes_first_and_the_policy_last(bundle):
    specs = describe_bringup("twin", bundle=bundle)
    assert [spec.name for spec in specs] == ["refinery_twin", "move_group", "refinery_sampler", "refinery_policy"]
    assert [spec.lifecycle for spec in specs] == [False, False, True, True]
    assert all(spec.required and spec.namespace == "" for spec in specs)


def test_the_twin_makes_the_time_and_the_others_take_it(bundle):
    specs = describe_bringup("twin", bundle=bundle)
    assert [spec.parameters["use_sim_time"] for spec in specs] == [False, True, True, True]


def test_the_twin_has_a_move_group_with_the_same_robot_and_seed(bundle):
    twin, move_group = describe_bringup("twin", bundle=bundle, seed=5)[:2]
    assert (move_group.package, move_group.executable) == ("refinery_twin", "move_group_node")
    assert move_group.parameters["robot_profile"] == twin.parameters["robot_profile"]
    assert move_group.parameters["seed"] == twin.parameters["seed"] == 5


@pytest.mark.parametrize("robot", ["fr3", "panda"])
def test_a_real_robot_has_no_twin_and_no_simulated_time(bundle, robot):
    specs = describe_bringup(robot, bundle=bundle)
    assert [spec.package for spec in specs] == ["refinery_sampler_node", "refinery_policy_node"]
    for spec in specs:
        assert spec.parameters["use_sim_time"] is False
        assert spec.parameters["autostart"] is True
        assert Path(spec.parameters["robot_profile"]).is_file()
        assert Path(spec.parameters["bundle"]) == bundle


def edited(tmp_path, name="peg_rect", **changes) -> Path:
    """Write a task file that differs from a shipped one."""
    raw = extends.read(config_file("tasks", name)).content
    for key, value in changes.items():
        part, _, leaf = key.partition("__")
        raw[part][leaf] = value
    path = tmp_path / f"{name}.yaml"
    path.write_text(yaml.safe_dump(raw))
    return path


def test_the_twin_gets_the_very_task_of_the_bundle(bundle, tmp_path, monkeypatch):
    twin = describe_bringup("twin", bundle=bundle)[0]
    assert named_task(twin.parameters["task"]).hash() == load_bundle(bundle).task.hash()
    # Also where the file of that name says something else by now.
    task = load_task(edited(tmp_path, noise__estimate_jitter_m=0.0015))
    other = tiny_bundle(tmp_path / "other", task)
    twin = describe_bringup("twin", bundle=other)[0]
    assert named_task(twin.parameters["task"]).hash() == task.hash() != load_bundle(bundle).task.hash()


@pytest.mark.parametrize("robot", ["twin", "fr3"])
def test_the_bundle_s_own_task_may_be_named_and_another_one_may_not(bundle, tmp_path, robot):
    same = edited(tmp_path)
    assert describe_bringup(robot, bundle=bundle, task=str(same)) == describe_bringup(robot, bundle=bundle)
    assert describe_bringup(robot, bundle=bundle, task="peg_rect") == describe_bringup(robot, bundle=bundle)
    changed = edited(tmp_path, noise__estimate_jitter_m=0.0015)
    hashes = [load_task(path).hash()[:12] for path in (config_file("tasks", "peg_rect"), changed)]
    with pytest.raises(ConfigError) as raised:
        describe_bringup(robot, bundle=bundle, task=str(changed))
    text = str(raised.value)
    assert all(part in text for part in (*hashes, "peg_rect", "noise.estimate_jitter_m", "0.0015"))
    with pytest.raises(ConfigError, match=r"square_xy.*differ in name.* more"):
        describe_bringup(robot, bundle=bundle, task="square_xy")


def test_a_task_that_was_edited_inside_its_bundle_is_refused(bundle, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["task"]["noise"]["estimate_jitter_m"] = 0.0015
    (copy / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(BundleError, match=r"task_hash.*the task was edited"):
        describe_bringup("twin", bundle=copy)


def test_realtime_factor_seed_and_namespace(bundle):
    specs = describe_bringup("twin", bundle=bundle, realtime_factor=3, seed=7, namespace="/cell")
    assert specs[0].parameters["realtime_factor"] == 3.0
    assert isinstance(specs[0].parameters["realtime_factor"], float)
    assert specs[0].parameters["seed"] == 7
    names = ("refinery_twin", "move_group", "refinery_sampler", "refinery_policy")
    assert [spec.full_name for spec in specs] == [f"/cell/{name}" for name in names]


def test_a_cell_in_a_namespace_has_its_own_time(bundle):
    for spec in describe_bringup("twin", bundle=bundle, namespace="/cell"):
        assert ("/clock", "clock") in spec.remappings
    for spec in describe_bringup("twin", bundle=bundle):
        assert spec.remappings == ()


@pytest.mark.parametrize("namespace", ["cell", "/", "/cell/", "/2nd", "/a b", "//cell"])
def test_what_is_no_namespace_is_refused(bundle, namespace):
    with pytest.raises(ConfigError, match="leading slash"):
        describe_bringup("twin", bundle=bundle, namespace=namespace)


@pytest.mark.ros
def test_overrides_win_and_leave_the_other_nodes_alone(bundle):
    overrides = {"refinery_policy.command_rate_hz": 500.0, "refinery_twin.realtime_factor": 2}
    twin, _, sampler, policy = describe_bringup("twin", bundle=bundle, overrides=overrides)
    assert policy.parameters["command_rate_hz"] == 500.0
    assert "command_rate_hz" not in sampler.parameters
    assert type(twin.parameters["realtime_factor"]) is float


@pytest.mark.ros
def test_an_override_is_checked_against_what_its_node_declares(bundle):
    mistakes = {"refinery_policy.stop_age": 0.2, "refinery_twin.seed": -1, "move_group.sed": 3, "nobody.x": 1}
    with pytest.raises(RefineryError) as raised:
        describe_bringup("twin", bundle=bundle, overrides=mistakes)
    for part in ("did you mean stop_age_s?", "refinery_twin: seed: expected a whole number in 0 to", "nobody.x"):
        assert part in str(raised.value)
    fine = {"refinery_policy.command_rate_hz": 100, "refinery_policy.use_sim_time": True}
    policy = describe_bringup("twin", bundle=bundle, overrides=fine)[-1]
    assert type(policy.parameters["command_rate_hz"]) is float


@pytest.mark.ros
def test_all_that_the_bringup_gives_is_declared(bundle):
    for robot in ("twin", "fr3", "panda"):
        for spec in describe_bringup(robot, bundle=bundle):
            module, _, name = spec.declaration.partition(":")
            given, problems = fitting(getattr(importlib.import_module(module), name), spec.parameters, spec.name)
            assert problems == []
            assert given == dict(spec.parameters)


@pytest.mark.parametrize("key", ["refinery_polcy.rate", "refinery_policy", "refinery_policy.", ".rate", ""])
def test_an_override_for_no_node_is_refused(key):
    with pytest.raises(ConfigError, match=r"node\.parameter with a node of refinery_policy"):
        with_overrides([NodeSpec(package="p", executable="e", name="refinery_policy")], {key: 1})


def test_bad_words_are_refused(bundle, tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="fr3, panda, twin"):
        describe_bringup("ur5", bundle=bundle)
    with pytest.raises(ConfigError, match="peg_rect"):
        describe_bringup("twin", bundle=bundle, task="no_such_task")
    with pytest.raises(ConfigError, match=r"a bundle directory .*nowhere"):
        describe_bringup("twin", bundle=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="a real robot runs only what you name"):
        describe_bringup("fr3")
    with pytest.raises(ConfigError, match="fr3 is a real robot"):
        describe_bringup("fr3", bundle=bundle, realtime_factor=2.0)
    with pytest.raises(ConfigError, match="leading slash"):
        describe_bringup("fr3", bundle=bundle, namespace="cell")


def test_without_a_bundle_the_twin_takes_the_demo_s(bundle, tmp_path, monkeypatch):
    (tmp_path / "config").symlink_to(config_file("tasks", "peg_rect").parents[1])
    monkeypatch.setenv("REFINERY_SHARE", str(tmp_path))
    with pytest.raises(ConfigError, match="make demo"):
        describe_bringup("twin")
    (tmp_path / "demo" / "run").mkdir(parents=True)
    (tmp_path / "demo" / "run" / "bundle").symlink_to(bundle)
    assert describe_bringup("twin")[2].parameters["bundle"] == str(tmp_path / "demo" / "run" / "bundle")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"task": 3}', "\x00", "[" * 100000])
def test_a_manifest_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(BundleError, match="expected JSON with task and task_hash"):
        describe_bringup("twin", bundle=tmp_path)
