import dataclasses

import numpy as np
import pytest

from refinery.errors import RefineryError
from refinery.grasp import requested_grasp
from refinery.initial_state import THETA_NAMES
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import with_grasps
from refinery.theta_units import LENGTHS, shown_unit

TASK = load_task(config_file("tasks", "peg_rect"))


def test_nothing_is_as_intended():
    assert np.array_equal(requested_grasp([], TASK), np.zeros((1, 3)))


def test_a_grasp_of_the_deployment_box_is_taken_as_it_is():
    task = with_grasps(TASK)
    low, high = task.initial_state.deployed.low[6:], task.initial_state.deployed.high[6:]
    for values in (low, high, (low + high) / 2 + 1e-4):
        assert np.array_equal(requested_grasp(values.tolist(), task), values[None])


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([0.0], r"grasp: expected 3 numbers \(grasp_x, grasp_z, grasp_pitch\) or none, got 1"),
        ([0.0] * 9, "or none, got 9"),
        ([0.0, float("nan"), 0.0], "grasp: expected finite numbers"),
        ([0.0, 0.0, float("inf")], "grasp: expected finite numbers"),
        ([0.0051, 0.0, 0.0], "grasp: grasp_x: expected -2.0 to 2.0 mm .*'peg_rect'.* got 5.1 mm"),
        ([0.0, -0.02, 0.0], "grasp_z: expected -4.0 to 4.0 mm .* got -20.0 mm"),
        ([0.0, 0.0, 0.5], "grasp_pitch: expected -11.5 to 11.5 deg .* got 28.6 deg"),
    ],
)
def test_other_grasps_are_refused_with_a_sentence(values, sentence):
    with pytest.raises(RefineryError, match=sentence):
        requested_grasp(values, with_grasps(TASK))


def test_a_task_of_one_grasp_takes_only_that():
    assert np.array_equal(requested_grasp([0.0, 0.0, 0.0], TASK), np.zeros((1, 3)))
    with pytest.raises(RefineryError, match=r"grasp_x: expected 0\.0 to 0\.0 mm"):
        requested_grasp([0.001, 0.0, 0.0], TASK)


def test_every_dimension_has_a_unit():
    assert set(LENGTHS) <= set(THETA_NAMES)
    for name in THETA_NAMES:
        factor, unit = shown_unit(name)
        assert unit == ("mm" if name in LENGTHS else "deg") and factor == pytest.approx(
            1e3 if unit == "mm" else 57.2958
        )


def test_the_stand_in_keeps_everything_but_the_grasps():
    spec, wider = TASK.initial_state, with_grasps(TASK).initial_state
    assert np.array_equal(wider.deployed.low[:6], spec.deployed.low[:6])
    assert dataclasses.replace(with_grasps(TASK), initial_state=spec) == TASK
