"""The offline commands as a user types them: bad input ends with one clear line, and nothing is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from typed_command import run

from refinery.paths import config_file
from refinery_sim_train.cli import evaluate, export, refine, train_base


@pytest.mark.parametrize("command", [refine, export, evaluate, train_base])
def test_an_unknown_task_lists_the_known_ones(command, monkeypatch, capsys):
    status, said = run(command, ["--task", "pge_rect"], monkeypatch, capsys)
    assert status == 1 and "pge_rect" in said and "peg_rect" in said and "Traceback" not in said


def test_an_unknown_preset_lists_the_known_ones(monkeypatch, capsys):
    status, said = run(refine, ["--preset", "quik"], monkeypatch, capsys)
    assert status == 1 and "quick" in said


@pytest.mark.parametrize(
    ("socket", "words"),
    [("clearence_m: 0.0005", "did you mean 'clearance_m'"), ("clearance_m: -0.0005", "clearance per side")],
)
def test_a_bad_task_file_is_explained(tmp_path: Path, socket, words, monkeypatch, capsys):
    file = tmp_path / "mine.yaml"
    file.write_text(f"extends: {config_file('tasks', 'peg_rect')}\nsocket: {{{socket}}}\n")
    out = tmp_path / "run"
    status, said = run(refine, ["--task", file, "--out", out], monkeypatch, capsys)
    assert status == 1 and "mine.yaml" in said and "clear" in said and words in said
    assert not out.exists()


def test_missing_weights_say_what_to_run(tmp_path: Path, monkeypatch, capsys):
    status, said = run(refine, ["--base", tmp_path / "none.npz", "--out", tmp_path / "run"], monkeypatch, capsys)
    assert status == 1 and "none.npz" in said and "train_base" in said and not (tmp_path / "run").exists()


def test_a_missing_bundle_is_named(tmp_path: Path, monkeypatch, capsys):
    status, said = run(evaluate, ["--bundle", tmp_path / "bundle"], monkeypatch, capsys)
    assert status == 1 and str(tmp_path / "bundle") in said


def test_mixture_starts_need_a_bundle(monkeypatch, capsys):
    status, said = run(evaluate, ["--starts", "mixture"], monkeypatch, capsys)
    assert status == 1 and "--bundle" in said


def test_help_gives_units(monkeypatch, capsys):
    status, said = run(refine, ["--help"], monkeypatch, capsys)
    assert status == 0 and "environment steps" in said
