import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.study.plan import Unit
from experiments.study.summary import CONDITIONS, difference, summarise
from experiments.study.work import pack_outcomes, unpack_outcomes
from experiments.test.study.synthetic import EPISODES, SUCCESS, complete, record, study_spec


@given(st.lists(st.booleans(), min_size=1, max_size=70))
def test_outcomes_are_kept_one_by_one(outcomes):
    packed = pack_outcomes(np.array(outcomes))
    assert packed["k"] == sum(outcomes) and unpack_outcomes(packed).tolist() == outcomes


def test_a_task_pools_its_seeds():
    spec = study_spec()
    task = summarise(spec, complete(spec))["tasks"]["peg_rect"]
    assert task["seeds"] == [0, 1] and not task["kept_out"]
    assert task["refined"] == {"k": 190 + 194, "n": 2 * EPISODES} | {
        key: value for key, value in task["refined"].items() if key not in ("k", "n")
    }
    assert task["by_seed"]["refined"] == [95.0, 97.0] and task["spread_points"] == 2.0
    assert task["below_base"] == 0 and task["paired_p_value"] < 1e-6


def test_the_mean_is_of_the_hard_tasks_alone():
    spec = study_spec()
    mean = summarise(spec, complete(spec))["mean"]
    assert mean["tasks"] == ["peg_rect", "hexagon"] and mean["seeds"] == [0, 1]
    for name in CONDITIONS:
        expected = 96.0 if name == "refined" else 100 * SUCCESS[name]
        assert mean[name]["percent"] == pytest.approx(expected)
    assert mean["refined"]["by_seed"] == [95.0, 97.0] and mean["refined"]["interval_over_tasks"] == [96.0, 96.0]


def test_a_training_that_ends_below_the_stronger_base_is_counted():
    spec = study_spec(arms={})
    unit = Unit(task="hexagon", seed=0)
    assert summarise(spec, {unit: record(unit, {"refined": 0.79})})["tasks"]["hexagon"]["below_base"] == 1


def test_an_arm_is_compared_seed_by_seed_with_the_default():
    spec = study_spec()
    found = summarise(spec, complete(spec))["arms"]["guided"]["t_post"]
    assert found["refined"] == [95.0, 97.0, 99.0] and found["guided"] == [94.0, 96.0, 98.0]
    assert found["difference"] == {"pairs": 3, "points": -1.0, "interval": [-1.0, -1.0]}


def test_what_has_not_been_run_is_absent():
    spec = study_spec()
    study = summarise(spec, {})
    assert study == {"tasks": {}, "mean": {}, "arms": {"guided": {}}}
    one = Unit(task="t_post", seed=1)
    study = summarise(spec, {one: record(one)})
    assert list(study["tasks"]) == ["t_post"] and study["arms"] == {"guided": {}}


def test_an_interval_needs_two_pairs():
    assert difference([0.5], [0.6]) == {"pairs": 1, "points": 10.0, "interval": None}
    found = difference([0.5, 0.5, 0.5], [0.5, 0.6, 0.7])
    # t(0.975, 2) = 4.303, standard error 10 / sqrt(3).
    assert found["interval"] == pytest.approx([10 - 24.84, 10 + 24.84], abs=0.02)
