"""The page of one recorded insertion."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from refinery.bundle import load_bundle
from refinery.errors import ConfigError, RefineryError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import servo_policy, tiny_bundle
from refinery.testing.lagging_cell import LaggingCell, run_episode
from refinery.tick.diagnosis import Place
from refinery.tick.recording import Recorder
from refinery.tick.runtime import PolicyRuntime
from refinery_evaluation.cli.explain import Args, explain
from refinery_evaluation.explain.episode import load_episode
from refinery_evaluation.report import style


@pytest.fixture(scope="module", autouse=True)
def small_pictures() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(style, "DOTS_PER_INCH", 50)
        yield


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A recording of an episode that seats the plug from a turned start, and its bundle."""
    folder = tmp_path_factory.mktemp("explain")
    task = load_task(config_file("tasks", "peg_rect"))
    bundle = tiny_bundle(folder / "bundle", task, servo_policy())
    runtime = PolicyRuntime(load_bundle(bundle))
    runtime.recorder = Recorder(task.hash(), runtime.policy.observation_size)
    theta = (task.initial_state.deployed.low + task.initial_state.deployed.high) / 2
    theta[5] = 0.8
    run_episode(runtime, LaggingCell(task, theta=theta))
    runtime.recorder.recording().save(folder / "one.npz")
    return folder / "one.npz", bundle


def test_one_page_without_anything_beside_it_says_how_it_ended(recorded, tmp_path, capsys):
    file, bundle = recorded
    page = explain(Args(file=file, bundle=bundle, out=tmp_path / "page.html")).read_text()
    assert "the plug is seated" in capsys.readouterr().out
    assert page.count("data:image/png;base64,") == 4
    assert "src=" not in page.replace('src="data:', "") and "http" not in page
    # The start is in the table with the box that the base policy was trained in.
    assert "45." in page and "-17.2 to 17.2 deg" in page and "outside" in page


def test_the_episode_is_that_of_the_cell(recorded):
    file, bundle = recorded
    episode = load_episode(file, bundle)
    assert episode.seated and episode.diagnosis.place is Place.SEATED
    assert episode.turn_rad[0] == pytest.approx(0.8, abs=0.05) and abs(episode.turn_rad[-1]) < 0.05
    assert episode.diagnosis.outside_trained == ("yaw",)
    assert np.all(np.diff(episode.time_s) > 0)


def test_a_recording_cut_short_is_explained_too(recorded, tmp_path):
    file, bundle = recorded
    whole = load_episode(file, bundle).recording
    cut = {
        item.name: getattr(whole, item.name)[:2]
        for item in dataclasses.fields(whole)
        if item.name not in ("task_hash", "grasp")
    }
    dataclasses.replace(whole, **cut).save(tmp_path / "cut.npz")
    episode = load_episode(tmp_path / "cut.npz", bundle)
    assert not episode.seated and episode.diagnosis.place is Place.ABOVE
    assert "above the rim" in explain(Args(file=tmp_path / "cut.npz", bundle=bundle)).read_text()


def test_the_bundle_is_looked_for_and_another_tasks_is_refused(recorded, tmp_path, monkeypatch):
    file, bundle = recorded
    monkeypatch.setenv("REFINERY_SHARE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RefineryError, match="--bundle"):
        load_episode(file, None)
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "bundle").symlink_to(bundle)
    assert load_episode(file, None).seated
    monkeypatch.delenv("REFINERY_SHARE")
    other = tiny_bundle(tmp_path / "other", load_task(config_file("tasks", "square_xy")))
    with pytest.raises(ConfigError, match="the task that was recorded"):
        load_episode(file, other)
