"""A run folder of which something was damaged: the same result, or a refusal that names the file."""

import io
import itertools
import json
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from tiny_run import refine

from refinery.bundle import OnnxPolicy, load_bundle
from refinery.errors import DamagedFileError, RefineryError
from refinery.npz import load_arrays, save_arrays
from refinery_sim_train.refine.fine_tune import LEARNING
from refinery_sim_train.refine.run_folder import RunFolder

MADE_AGAIN = (
    "search.npz",
    "search_clipped.npz",
    "validation_base.npz",
    "validation_base_clipped.npz",
    "validation_round_1.npz",
    "validation_round_2.npz",
    "mixture.npz",
    "starts_mixture.npz",
    "starts_superlevel.npz",
    "test_base.npz",
    "test_clipped.npz",
    "test_refined.npz",
    "test_started.npz",
    "bundle/manifest.json",
    "bundle/initial_states.json",
    "bundle/part.json",
    "bundle/policy.onnx",
    f"fine_tuning/{LEARNING}",
)
"""Measured again from the same seeds, written again from what is whole, or a log that nothing needs."""
REFUSED = ("config.json", "agent_1.npz", "fine_tuning/state.npz")
"""What says whose the folder is, and what cannot be had again without training from the beginning."""
UNREAD = "fine_tuning/tensorboard"
WAYS: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "garbage": lambda content: np.random.default_rng(0).bytes(max(64, len(content))),
}


def damage(file: Path, way: str) -> None:
    file.write_bytes(WAYS[way](file.read_bytes()))


def same(first, second) -> bool:
    x = np.random.default_rng(0).normal(size=(1, 28)).astype(np.float32)
    policies = [OnnxPolicy(run.bundle / "policy.onnx")(x) for run in (first, second)]
    manifests = [load_bundle(run.bundle).manifest["evaluation"] for run in (first, second)]
    outcomes = [np.stack([run.base.strict, run.refined.strict, run.started.strict]) for run in (first, second)]
    return all(np.array_equal(*pair) for pair in (policies, outcomes)) and manifests[0] == manifests[1]


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole[1], tmp_path / "run")
    return tmp_path / "run"


def test_every_file_of_a_run_folder_is_damaged_below(whole):
    path = whole[1]
    found = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    assert {name for name in found if not name.startswith(UNREAD)} == {*MADE_AGAIN, *REFUSED, "agent_2.npz"}


@pytest.mark.parametrize(
    ("ways", "policy"), [(("cut",), "agent_2.npz"), (("empty", "garbage"), "fine_tuning/state.npz")]
)
def test_what_can_be_made_again_is_and_gives_the_same(task, student, whole, copy, ways, policy, capsys):
    # The last policy is still in the training's state; that is not asked for where all policies are there.
    names = [*MADE_AGAIN, policy]
    # A run takes long: ways to damage a file alternate in it, and the test of a stage below has each of them.
    for name, way in zip(names, itertools.cycle(ways), strict=False):
        damage(copy / name, way)
    again = refine(task, student, copy, resume=True)
    assert same(whole[0], again)
    said = capsys.readouterr().out
    announced = [name for name in names if name.endswith(".npz") and name != "fine_tuning/state.npz"]
    assert all(str(copy / name) in said for name in announced)
    if "cut" in ways:
        assert f"{LEARNING}: 1 of 2 rows are lost" in said


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_is_refused_by_name(task, student, copy, name, way):
    damage(copy / name, way)
    if name.endswith("state.npz"):
        # Needed only where the training is to go on.
        (copy / "agent_2.npz").unlink()
    before = {file: file.read_bytes() for file in copy.rglob("*.npz")}
    with pytest.raises(RefineryError) as refused:
        refine(task, student, copy, resume=True)
    said = str(refused.value)
    assert str(copy / name) in said and "another task" not in said and "\n" not in said
    assert before == {file: file.read_bytes() for file in copy.rglob("*.npz")}


def test_a_policy_that_is_gone_is_not_replaced_by_a_later_one(task, student, copy):
    (copy / "agent_1.npz").unlink()
    with pytest.raises(RefineryError, match=r"agent_1\.npz: .*round 2"):
        refine(task, student, copy, resume=True)


def test_training_from_the_beginning_gives_the_same_policy(task, student, whole, copy):
    # What the refusal advises.
    damage(copy / "agent_1.npz", "cut")
    shutil.rmtree(copy / "fine_tuning")
    again = refine(task, student, copy, resume=True)
    assert same(whole[0], again)
    first, second = (load_arrays(path / "agent_1.npz") for path in (whole[1], copy))
    assert all(np.array_equal(first[key], second[key]) for key in first)


@pytest.mark.parametrize("key", ["names", "rounds", "ppo/torch_rng", "ppo/adam/0/exp_avg", "source/theta"])
def test_a_state_without_one_of_its_arrays_is_refused(task, student, copy, key):
    (copy / "agent_2.npz").unlink()
    state = copy / "fine_tuning" / "state.npz"
    arrays = load_arrays(state)
    # The first optimised array is the actor's, which stands still at first, or the critic's.
    key = next(name for name in sorted(arrays) if name.startswith("ppo/adam")) if "adam" in key else key
    del arrays[key]
    save_arrays(state, arrays)
    with pytest.raises(RefineryError, match=r"state\.npz"):
        refine(task, student, copy, resume=True)


def edit(change):
    def edited(file: Path) -> None:
        arrays = load_arrays(file)
        change(arrays)
        save_arrays(file, arrays)

    return edited


def twice(file: Path) -> None:
    raw = io.BytesIO()
    np.save(raw, np.zeros(3))
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("strict.npy", raw.getvalue())


@pytest.mark.parametrize(
    "change",
    [
        edit(lambda arrays: arrays.pop("strict")),
        edit(lambda arrays: arrays.update(more=np.zeros(3))),
        edit(lambda arrays: arrays.update(strict=arrays["strict"][:-1])),
        edit(lambda arrays: arrays.update(strict=arrays["strict"].astype(float))),
        edit(lambda arrays: arrays.update(height_m=arrays["height_m"] * np.nan)),
        edit(lambda arrays: arrays.update(theta=arrays["theta"] + 1e-6)),
        twice,
        lambda file: np.save(file.open("wb"), np.zeros(3)),
        *(partial(damage, way=way) for way in WAYS),
    ],
    ids=[
        *(
            "key missing",
            "key added",
            "too short",
            "another type",
            "not finite",
            "of others",
            "key twice",
            "no archive",
        ),
        *WAYS,
    ],
)
def test_a_stage_that_is_not_what_the_run_measures_is_measured_again(whole, copy, change, capsys):
    file = copy / "test_refined.npz"
    right = whole[0].refined
    change(file)
    got = RunFolder(copy, {"seed": 1}, resume=True).outcomes("test_refined", lambda: right, right.theta)
    assert got is right and str(file) in capsys.readouterr().out
    assert np.array_equal(load_arrays(file)["strict"], right.strict)


def test_a_stage_that_may_not_be_read_is_not_overwritten(whole, copy):
    file = copy / "test_refined.npz"
    file.unlink()
    file.mkdir()
    with pytest.raises(RefineryError, match=r"test_refined\.npz"):
        RunFolder(copy, {"seed": 1}, resume=True).outcomes("test_refined", lambda: whole[0].refined, np.zeros((1, 9)))


def test_whose_a_folder_is_must_be_known(copy):
    config = copy / "config.json"
    config.write_text('{"seed": 1, "seed": 2}')
    with pytest.raises(RefineryError, match=r"config\.json: .*'seed' twice"):
        RunFolder(copy, {"seed": 2}, resume=True)
    config.write_text(json.dumps({"seed": 1, "base": "mine.npz"}))
    with pytest.raises(RefineryError, match=r"config\.json: .*differs in base, seed"):
        RunFolder(copy, {"seed": 2, "base": "other.npz"}, resume=True)
    config.unlink()
    with pytest.raises(RefineryError, match=r"config\.json: .*agent_1\.npz"):
        RunFolder(copy, {"seed": 1}, resume=True)


def test_arrays_that_are_none_are_named(tmp_path):
    file = tmp_path / "x.npz"
    save_arrays(file, {"a": np.arange(1000)})
    content = file.read_bytes()
    for position in range(0, len(content), 37):
        # One flipped byte: caught by a checksum, or in a field that does not matter.
        file.write_bytes(content[:position] + bytes([content[position] ^ 0xFF]) + content[position + 1 :])
        try:
            arrays = load_arrays(file)
        except DamagedFileError as error:
            assert str(file) in str(error)
        else:
            assert all(np.array_equal(value, np.arange(1000)) for value in arrays.values())
