from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from report.synthetic import demo_data, some_picture, trial

from refinery.errors import ConfigError
from refinery_evaluation.report import demo_json, load_data, save_data


def test_what_is_saved_is_read_back(tmp_path: Path) -> None:
    data = demo_data(episodes=32, trials=3, cell_picture_png=some_picture(), structure_bits=math.nan)
    save_data(tmp_path / "first", data)
    found = load_data(tmp_path / "first")
    save_data(tmp_path / "second", found)
    first, second = ((tmp_path / name / "data.json").read_text(encoding="utf-8") for name in ("first", "second"))
    assert first == second
    assert found.trials == data.trials
    assert found.task == data.task
    assert (found.clipped, found.started) == (data.clipped, data.started)
    assert found.cell_picture_png == data.cell_picture_png
    assert math.isnan(found.structure_bits)
    for name in ("base_theta", "base_strict", "refined_theta", "refined_strict"):
        np.testing.assert_array_equal(getattr(found, name), getattr(data, name))


def test_the_policy_that_was_refined_is_told_from_the_base(tmp_path: Path) -> None:
    better = np.ones(32, dtype=bool)
    save_data(tmp_path, demo_data(episodes=32, trials=0, start_strict=better))
    found = load_data(tmp_path)
    np.testing.assert_array_equal(found.before_strict, better)
    assert found.base.k < 32 and found.before_name != demo_data(episodes=32, trials=0).before_name


def test_unknown_numbers_survive(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    odd = trial(0, "uniform", np.full(9, math.nan), False, rng, predicted=None, depth_mm=math.nan)
    save_data(tmp_path, demo_data(episodes=20, records=(odd,)))
    found = load_data(tmp_path).trials[0]
    assert found.predicted is None
    assert math.isnan(found.depth_mm) and math.isnan(found.theta[0])


def test_an_old_picture_does_not_stay(tmp_path: Path) -> None:
    save_data(tmp_path, demo_data(episodes=20, trials=0, cell_picture_png=some_picture()))
    save_data(tmp_path, demo_data(episodes=20, trials=0))
    assert load_data(tmp_path).cell_picture_png is None


def test_demo_json_has_the_keys_that_others_read() -> None:
    data = demo_data(p_value=math.nan)
    found = demo_json(data)
    wanted = {
        "task",
        "base",
        "refined",
        "base_clipped",
        "refined_chosen_starts",
        "uniform_starts",
        "sampled_starts",
        "seconds",
        "date",
        "seed",
        "machine",
        "commit",
    }
    assert wanted <= set(found)
    assert found["base"] == {"k": data.base.k, "n": data.base.n}
    assert data.clipped is not None and found["base_clipped"] == data.clipped.to_json()
    assert found["refined_chosen_starts"]["n"] == data.base.n
    assert found["sampled_starts"]["n"] == 20
    assert found["paired_p_value"] is None
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert demo_json(demo_data(trials=0))["uniform_starts"] == {"k": 0, "n": 0}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"base_theta": np.zeros((3, 6))}, "base_theta"),
        ({"base_strict": np.zeros(3, dtype=bool)}, "base_strict"),
        ({"cell_picture_png": b"not a picture"}, "cell_picture_png"),
    ],
)
def test_wrong_shapes_are_refused(change: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=key):
        demo_data(episodes=20, trials=0, **change)


def test_a_trial_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ConfigError, match="starts"):
        trial(0, "best", np.zeros(9), True, np.random.default_rng(0))
