"""The running mean halves and halves the jitter, and a moved socket is never averaged with its old place."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses, angle_between_rad
from refinery_sampler_node.socket_estimate import recent_mean

JUMP = {"jump_m": 0.01, "jump_rad": 0.1}


def _estimates(centre: list[float], yaw: float, count: int, rng: np.random.Generator) -> list[Poses]:
    noise = rng.uniform(-0.002, 0.002, (count, 3))
    return [Poses.from_xyz_rpy(np.array(centre) + n, [0.0, 0.0, yaw]) for n in noise]


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 30), yaw=st.floats(-3.1, 3.1))
def test_mean_of_jittering_estimates(seed: int, count: int, yaw: float) -> None:
    estimates = _estimates([0.5, 0.0, 0.1], yaw, count, np.random.default_rng(seed))
    mean = recent_mean(estimates, **JUMP)
    assert mean.count == count
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in estimates], axis=0), atol=1e-12)
    assert angle_between_rad(mean.pose.quat_xyzw, estimates[0].quat_xyzw)[0] < 1e-6


@given(seed=st.integers(0, 2**32 - 1), before=st.integers(1, 15), after=st.integers(1, 15), turn=st.booleans())
def test_jump_starts_a_new_mean(seed: int, before: int, after: int, turn: bool) -> None:
    rng = np.random.default_rng(seed)
    old = _estimates([0.5, 0.0, 0.1], 0.0, before, rng)
    new = _estimates([0.5 if turn else 0.52, 0.0, 0.1], 0.2 if turn else 0.0, after, rng)
    mean = recent_mean(old + new, **JUMP)
    assert mean.count == after
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in new], axis=0), atol=1e-12)


def test_averaging_is_worth_it() -> None:
    rng = np.random.default_rng(0)
    errors = [recent_mean(_estimates([0.0, 0, 0], 0.0, 15, rng), **JUMP).pose.pos_m[0] for _ in range(200)]
    assert np.abs(errors).mean() < 0.0004


def test_quaternion_sign_does_not_matter() -> None:
    pose = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 3.0])
    flipped = Poses(pos_m=pose.pos_m, quat_xyzw=-pose.quat_xyzw)
    mean = recent_mean([pose, flipped, pose], **JUMP)
    assert mean.count == 3
    assert angle_between_rad(mean.pose.quat_xyzw, pose.quat_xyzw)[0] < 1e-6
