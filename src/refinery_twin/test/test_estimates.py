"""Estimates: uniform jitter around the biased pose, a function of their moment alone; the truth never shows."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses
from refinery_twin.estimates import SocketEstimator

UNJITTERED = Poses.from_xyz_rpy((0.5, 0.1, 0.1), (0.0, 0.0, 0.3))
ESTIMATOR = SocketEstimator(unjittered=UNJITTERED, jitter_m=0.002, seed=1)
MOMENTS = st.tuples(st.integers(0, 6), st.integers(0, 3), st.integers(0, 10_000))


def estimate(moment: tuple[int, int, int], estimator: SocketEstimator = ESTIMATOR) -> Poses:
    step, attempt, tick = moment
    return estimator.at(step=step, attempt=attempt, tick=tick)


def test_jitter_is_uniform_within_its_range_and_centred() -> None:
    errors = np.stack([estimate((0, 1, tick)).pos_m[0] for tick in range(4000)]) - UNJITTERED.pos_m
    assert np.abs(errors).max() <= 0.002
    sigma = 0.002 / np.sqrt(3)
    np.testing.assert_allclose(errors.std(axis=0), sigma, rtol=0.05)
    assert np.abs(errors.mean(axis=0)).max() < 4 * sigma / np.sqrt(4000)
    assert abs(np.corrcoef(errors[1:, 0], errors[:-1, 0])[0, 1]) < 0.06


@given(moment=MOMENTS, before=st.lists(MOMENTS, max_size=5), seed=st.integers(0, 2**63 - 1))
def test_what_was_drawn_before_changes_no_estimate(
    moment: tuple[int, int, int], before: list[tuple[int, int, int]], seed: int
) -> None:
    fresh, used = (SocketEstimator(unjittered=UNJITTERED, jitter_m=0.002, seed=seed) for _ in range(2))
    drawn = {each: estimate(each, used).pos_m for each in before}
    np.testing.assert_array_equal(estimate(moment, used).pos_m, estimate(moment, fresh).pos_m)
    for each, pos_m in drawn.items():
        assert each == moment or not np.array_equal(pos_m, estimate(moment, used).pos_m)


def test_orientation_carries_the_bias_only() -> None:
    np.testing.assert_array_equal(estimate((0, 0, 0)).quat_xyzw, UNJITTERED.quat_xyzw)


def test_no_jitter_is_exact() -> None:
    still = SocketEstimator(unjittered=UNJITTERED, jitter_m=0.0, seed=1)
    np.testing.assert_array_equal(estimate((0, 0, 0), still).pos_m, UNJITTERED.pos_m)
