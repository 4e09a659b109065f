"""Trials in a file and back."""

import pytest
from report.synthetic import demo_data

from refinery.errors import DamagedFileError, RefineryError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.trials.records import read_trials, write_trials


def test_what_is_written_is_what_is_read(tmp_path):
    task, trials = load_task(config_file("tasks", "peg_rect")), demo_data(episodes=32, trials=3).trials
    bundle = tiny_bundle(tmp_path / "b", task)
    write_trials(tmp_path / "t.json", "peg_rect", trials)
    again = read_trials(tmp_path / "t.json", bundle)
    assert [(t.index, t.seed, t.starts, t.strict, t.reason) for t in again] == [
        (t.index, t.seed, t.starts, t.strict, t.reason) for t in trials
    ]
    write_trials(tmp_path / "t.json", "other", trials)
    with pytest.raises(RefineryError, match="expected trials of 'peg_rect'"):
        read_trials(tmp_path / "t.json", bundle)
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(DamagedFileError, match="expected trials"):
        read_trials(tmp_path / "t.json", bundle)
