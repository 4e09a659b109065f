"""Statistics over training seeds on curves whose answers are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.study.curves import (
    area_under,
    bootstrap_ratio,
    seed_difference,
    steps_ratio,
    steps_to_reach,
)
from refinery.errors import ConfigError

STEPS = np.array([0.0, 100.0, 200.0, 400.0])


def test_a_difference_has_the_textbook_t_interval():
    found = seed_difference([0.90, 0.90, 0.90], [0.91, 0.92, 0.93])
    assert found.points == pytest.approx(2.0)
    # t(0.975, 2) = 4.3027, standard deviation 1 point.
    assert found.interval == pytest.approx((2 - 4.3027 / math.sqrt(3), 2 + 4.3027 / math.sqrt(3)), abs=1e-3)
    assert found.verdict == "no difference shown"


@pytest.mark.parametrize(
    ("second", "verdict"),
    [([0.95, 0.951, 0.952], "better"), ([0.85, 0.851, 0.852], "worse"), ([0.9, 0.9, 0.9], "no difference shown")],
)
def test_the_verdict_follows_the_interval(second, verdict):
    assert seed_difference([0.9, 0.9, 0.9], second).verdict == verdict


def test_one_seed_has_no_interval_and_no_verdict():
    found = seed_difference([0.9], [1.0])
    assert found.interval is None and found.verdict == "too few seeds" and found.points == pytest.approx(10)
    assert found.to_json()["interval_points"] is None


def test_no_seed_is_an_error():
    with pytest.raises(ConfigError, match="at least one pair"):
        seed_difference([], [])


def test_the_area_weighs_points_by_the_steps_between_them():
    assert area_under(STEPS, np.array([0.0, 0.25, 0.5, 1.0])) == pytest.approx(0.5)
    assert area_under(STEPS, np.array([[0.5, 0.5, 0.5, 0.5], [0.0, 0.0, 0.0, 1.0]])) == pytest.approx([0.5, 0.25])


@pytest.mark.parametrize(
    ("curve", "target", "steps"),
    [
        ([0.5, 0.6, 0.8, 0.9], 0.7, 150.0),
        ([0.5, 0.6, 0.8, 0.9], 0.8, 200.0),
        ([0.5, 0.6, 0.8, 0.9], 0.4, 0.0),
        ([0.5, 0.6, 0.8, 0.9], 0.95, math.inf),
        ([0.5, 0.8, 0.6, 0.9], 0.8, 100.0),
        ([0.5, 0.8, 0.6, 0.9], 0.85, 300.0),
        ([0.5, 0.5, 0.5, 0.5], 0.5, 0.0),
    ],
    ids=["between points", "at a point", "from the start", "never", "before a dip", "after a dip", "flat"],
)
def test_steps_to_reach(curve, target, steps):
    assert steps_to_reach(STEPS, np.array(curve), target) == pytest.approx(steps)


def test_a_curve_twice_as_fast_has_a_ratio_of_a_half_and_the_other_way_two():
    slow = np.array([0.5, 0.6, 0.7, 0.9])
    fast = np.array([0.5, 0.7, 0.9, 0.9])
    assert steps_ratio(STEPS, fast, slow) == pytest.approx(0.5)
    assert steps_ratio(STEPS, slow, fast) == pytest.approx(2.0)
    # 0.86 = 0.5 + 0.9 x 0.4 is at 180 of 200 on the way of the one, at 360 of 400 on that of the other.
    assert steps_ratio(STEPS, fast, slow, share=0.9) == pytest.approx(180 / 360)


def test_what_is_never_reached_and_what_cannot_be_asked_differ():
    low, high = np.array([0.5, 0.6, 0.6, 0.7]), np.array([0.5, 0.7, 0.8, 0.9])
    assert steps_ratio(STEPS, low, high) == math.inf
    assert math.isnan(steps_ratio(STEPS, high, np.array([0.5, 0.4, 0.3, 0.2])))
    assert math.isnan(steps_ratio(STEPS, high, np.full(4, 0.5)))


def test_a_reference_that_fell_back_is_taken_where_it_first_was_that_good():
    reference = np.array([0.5, 0.9, 0.7, 0.7])
    assert steps_ratio(STEPS, np.array([0.5, 0.6, 0.7, 0.8]), reference) == pytest.approx(200 / 50)


def test_the_bootstrap_repeats_and_contains_the_value():
    rng = np.random.default_rng(3)
    reference = np.array([0.5, 0.6, 0.7, 0.9]) + rng.normal(0, 0.02, (8, 4)) * [0, 1, 1, 1]
    runner = np.array([0.5, 0.7, 0.9, 0.95]) + rng.normal(0, 0.02, (8, 4)) * [0, 1, 1, 1]
    first, second = (bootstrap_ratio(STEPS, runner, reference, resamples=400) for _ in range(2))
    assert first == second
    low, high = first.interval
    assert low < first.value < high and low > 0.3 and high < 0.8 and first.reached == 1.0


def test_equal_seeds_leave_the_bootstrap_no_width():
    curve = np.tile([0.5, 0.6, 0.7, 0.9], (4, 1))
    found = bootstrap_ratio(STEPS, curve, curve, resamples=50)
    assert found.value == pytest.approx(1.0) and found.interval == pytest.approx((1.0, 1.0))


def test_a_level_reached_by_some_seeds_only_has_an_open_interval():
    reference = np.tile([0.5, 0.6, 0.7, 0.8], (6, 1))
    runner = np.array([[0.5, 0.7, 0.8, 0.9]] * 3 + [[0.5, 0.5, 0.6, 0.7]] * 3)
    found = bootstrap_ratio(STEPS, runner, reference)
    as_json = found.to_json("ratio")
    assert 0.3 < found.reached < 0.9 and found.interval[1] == math.inf
    assert as_json["ratio_interval"][1] is None and as_json["ratio_note"] == ""


def test_notes_tell_never_from_nothing_to_reach():
    low, high = np.tile([0.5, 0.6, 0.6, 0.7], (3, 1)), np.tile([0.5, 0.7, 0.8, 0.9], (3, 1))
    never = bootstrap_ratio(STEPS, low, high, resamples=20).to_json("r")
    nothing = bootstrap_ratio(STEPS, high, np.full((3, 4), 0.5), resamples=20).to_json("r")
    assert (never["r"], never["r_note"], never["r_reached"]) == (None, "never reached", 0.0)
    assert (nothing["r"], nothing["r_note"]) == (None, "nothing to reach")
    assert nothing["r_interval"] == [None, None]


@given(
    gains=st.lists(st.floats(0.001, 0.2), min_size=3, max_size=3),
    unit=st.floats(0.01, 1e5),
    share=st.floats(0.05, 1.0),
)
def test_a_rising_curve_against_itself_is_one_in_any_unit_of_steps(gains, unit, share):
    curve = 0.2 + np.concatenate([[0], np.cumsum(gains)])
    assert steps_ratio(unit * STEPS, curve, curve, share) == pytest.approx(1.0)
