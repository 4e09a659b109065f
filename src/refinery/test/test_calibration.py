"""What a cell learns of its camera's constant error: right in the limit, bounded, and not led astray."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.calibration import CalibrationSpec, SocketCalibration, posterior
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.task import load_task

SPEC = CalibrationSpec(prior_std_m=2.5e-4, noise_std_m=3e-4)
HOLE_M = np.array([0.5, 0.0, 0.1])
SEEDS = st.integers(0, 2**32 - 1)


def at(x_m: float, y_m: float) -> Poses:
    return Poses.from_xyz_rpy([0.5 + x_m, y_m, 0.1], [0.0, 0.0, 0.3])


def taught(observations: np.ndarray, spec: CalibrationSpec = SPEC) -> SocketCalibration:
    calibration = SocketCalibration(spec)
    for x, y in observations:
        calibration.seated(at(x, y), HOLE_M)
    return calibration


def draws(seed: int, count: int, bias: tuple[float, float]) -> np.ndarray:
    return np.asarray(bias) + np.random.default_rng(seed).normal(0, SPEC.noise_std_m, (count, 2))


@pytest.mark.parametrize(
    "seen", [[], [[3e-3, 0.0]], [[3e-3, 0.0], [-2e-3, 1e-3]]], ids=["none", "an unlikely one", "two unlikely ones"]
)
def test_nothing_is_corrected_before_enough_that_can_be_believed_was_seen(seen: list[list[float]]) -> None:
    correction = taught(np.array(seen).reshape(-1, 2)).correction()
    assert not correction.applied and correction.offset_m == (0.0, 0.0) and correction.std_m == SPEC.prior_std_m
    pose = at(1e-3, 2e-3)
    np.testing.assert_array_equal(correction.apply(pose).pos_m, pose.pos_m)


@settings(max_examples=50)
@given(SEEDS, st.integers(3, 50))
def test_without_wrong_ones_it_is_the_gaussian_posterior(seed: int, count: int) -> None:
    spec = CalibrationSpec(prior_std_m=2.5e-4, noise_std_m=3e-4, wrong_share=0.0)
    seen = draws(seed, count, (2e-4, -1e-4))
    mean, std_m, believed = posterior(seen, spec)
    precision = 1 / spec.prior_std_m**2 + count / spec.noise_std_m**2
    np.testing.assert_allclose(mean, seen.sum(axis=0) / spec.noise_std_m**2 / precision, atol=1e-12)
    assert std_m == pytest.approx(precision**-0.5) and believed == count


@settings(max_examples=50)
@given(SEEDS)
def test_one_wrong_success_in_ten_does_little(seed: int) -> None:
    rng = np.random.default_rng(seed)
    bias = rng.normal(0, SPEC.prior_std_m, 2)
    seen = bias + rng.normal(0, SPEC.noise_std_m, (30, 2))
    seen[rng.permutation(30)[:3]] = bias + rng.uniform(-1, 1, (3, 2)) * SPEC.wrong_reach_m
    mean, std_m, believed = posterior(seen, SPEC)
    assert np.abs(mean - bias).max() < 5 * std_m and 20 < believed <= 30


@settings(max_examples=50)
@given(SEEDS, st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
def test_the_correction_is_bounded_whatever_was_reported(seed: int, x: float, y: float) -> None:
    seen = np.random.default_rng(seed).uniform(-0.01, 0.01, (20, 2)) + np.array([x, y])
    correction = taught(seen).correction()
    assert np.hypot(*correction.offset_m) <= SPEC.limit_sigmas * SPEC.prior_std_m * (1 + 1e-9)
    assert 0 < correction.std_m <= SPEC.prior_std_m


def test_the_first_observation_counts_as_far_as_the_prior_lets_it() -> None:
    correction = taught(np.array([[3e-4, -1e-4]])).correction()
    share = SPEC.prior_std_m**2 / (SPEC.prior_std_m**2 + SPEC.noise_std_m**2)
    assert correction.applied and correction.observations == 1
    assert correction.offset_m == pytest.approx((share * 3e-4, share * -1e-4), rel=0.05)


def test_it_goes_the_right_way() -> None:
    correction = taught(np.tile([4e-4, -2e-4], (40, 1))).correction()
    corrected = correction.apply(at(4e-4, -2e-4))
    assert np.abs(corrected.pos_m - at(0.0, 0.0).pos_m).max() < 5e-5
    np.testing.assert_array_equal(corrected.quat_xyzw, at(0.0, 0.0).quat_xyzw)
    np.testing.assert_allclose(correction.apply_to(at(4e-4, -2e-4).pos_m[0].tolist()), corrected.pos_m[0], atol=1e-15)
    np.testing.assert_allclose(correction.remove(corrected).pos_m, at(4e-4, -2e-4).pos_m, atol=1e-15)


def test_a_fixture_that_moved_is_followed_within_a_few() -> None:
    calibration = taught(np.vstack([draws(1, 30, (4e-4, 0.0)), draws(2, 6, (-2e-3, 5e-4))]))
    assert calibration.forgotten >= 1 and len(calibration.observations_m) <= 6
    assert calibration.correction().offset_m[0] < -2e-4


def test_a_few_failures_in_a_row_forget_it_and_single_ones_do_not() -> None:
    calibration = taught(draws(3, 20, (4e-4, 0.0)))
    for _ in range(5):
        calibration.failed()
        calibration.seated(at(4e-4, 0.0), HOLE_M)
    assert calibration.correction().applied and calibration.forgotten == 0
    for _ in range(SPEC.failures):
        calibration.failed()
    assert not calibration.correction().applied and calibration.forgotten == 1


def test_the_window_bounds_what_is_kept_and_numbers_that_are_none_are_left_out() -> None:
    calibration = taught(draws(4, 80, (0.0, 0.0)))
    assert len(calibration.observations_m) == SPEC.window
    calibration.seated(at(np.nan, 0.0), HOLE_M)
    assert np.isfinite(calibration.observations_m).all()
    again = SocketCalibration(SPEC, calibration.observations_m.tolist())
    assert again.correction() == calibration.correction()


def test_the_scales_come_from_the_task() -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    spec = CalibrationSpec.of(task)
    assert spec.prior_std_m == task.noise.estimate_bias_m
    assert 0.2 * task.socket.clearance_m < spec.noise_std_m < 0.4 * task.socket.clearance_m


@pytest.mark.parametrize("name", ["prior_std_m", "noise_std_m", "least", "wrong_reach_m", "failures", "limit_sigmas"])
def test_settings_are_checked(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        CalibrationSpec(**({"prior_std_m": 1e-4, "noise_std_m": 1e-4} | {name: 0}))
