"""Estimates: uniform jitter around the biased pose, fresh in every message; the truth never shows."""

from __future__ import annotations

import numpy as np

from refinery.rotations import Poses
from refinery_twin.estimates import SocketEstimator

UNJITTERED = Poses.from_xyz_rpy((0.5, 0.1, 0.1), (0.0, 0.0, 0.3))


def test_jitter_is_uniform_within_its_range_and_centred() -> None:
    estimator = SocketEstimator(UNJITTERED, 0.002, np.random.default_rng(1))
    errors = np.stack([estimator.next().pos_m[0] for _ in range(4000)]) - UNJITTERED.pos_m
    assert np.abs(errors).max() <= 0.002
    sigma = 0.002 / np.sqrt(3)
    np.testing.assert_allclose(errors.std(axis=0), sigma, rtol=0.05)
    assert np.abs(errors.mean(axis=0)).max() < 4 * sigma / np.sqrt(4000)
    assert abs(np.corrcoef(errors[1:, 0], errors[:-1, 0])[0, 1]) < 0.06


def test_orientation_carries_the_bias_only() -> None:
    estimator = SocketEstimator(UNJITTERED, 0.002, np.random.default_rng(1))
    np.testing.assert_array_equal(estimator.next().quat_xyzw, UNJITTERED.quat_xyzw)


def test_no_jitter_is_exact() -> None:
    estimator = SocketEstimator(UNJITTERED, 0.0, np.random.default_rng(1))
    np.testing.assert_array_equal(estimator.next().pos_m, UNJITTERED.pos_m)
