"""The mean is of the estimates that agree: no single one decides, no turn that does not show, no drift."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses, angle_between_rad
from refinery.symmetry import nearest_angle_rad
from refinery_sampler_node.inputs.socket_estimate import CONFIRMED, SocketEstimate, consensus
from refinery_sampler_node.request_error import RequestError

WINDOW = 15
PLACE = [0.5, 0.0, 0.1]
SEEDS = st.integers(0, 2**32 - 1)
ORDERS = st.sampled_from([0, 1, 2, 4, 6])


def _mean(estimates: list[Poses], symmetry: int = 1) -> SocketEstimate:
    return consensus(estimates, jump_m=0.01, jump_rad=0.1, symmetry=symmetry)


def _estimates(centre: list[float], yaw: float, count: int, rng: np.random.Generator) -> list[Poses]:
    noise = rng.uniform(-0.002, 0.002, (count, 3))
    return [Poses.from_xyz_rpy(np.array(centre) + n, [0.0, 0.0, yaw]) for n in noise]


def _turned(pose: Poses, rpy: tuple[float, float, float]) -> Poses:
    return pose @ Poses.from_xyz_rpy([0.0, 0.0, 0.0], rpy)


def _moved(pose: Poses, xyz: tuple[float, float, float]) -> Poses:
    return Poses(pos_m=pose.pos_m + np.array([xyz]), quat_xyzw=pose.quat_xyzw)


OUTLIERS = {
    "position": lambda pose: _moved(pose, (0.0, 0.03, 0.0)),
    "turn": lambda pose: _turned(pose, (0.0, 0.0, 0.5)),
    "tilt": lambda pose: _turned(pose, (0.5, 0.0, 0.0)),
    "upside down": lambda pose: _turned(pose, (np.pi, 0.0, 0.0)),
    "half a turn": lambda pose: _turned(pose, (0.0, 0.0, np.pi)),
}


@given(seed=SEEDS, count=st.integers(1, 30), yaw=st.floats(-3.1, 3.1), symmetry=ORDERS)
def test_mean_of_jittering_estimates(seed: int, count: int, yaw: float, symmetry: int) -> None:
    estimates = _estimates(PLACE, yaw, count, np.random.default_rng(seed))
    mean = _mean(estimates, symmetry)
    assert (mean.count, mean.span) == (count, count)
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in estimates], axis=0), atol=1e-12)
    assert angle_between_rad(mean.pose.quat_xyzw, estimates[0].quat_xyzw)[0] < 1e-6


@pytest.mark.parametrize("kind", OUTLIERS)
@given(seed=SEEDS, count=st.integers(3, WINDOW), place=st.integers(0, WINDOW - 1))
def test_a_single_outlier_is_left_out_wherever_it_is(kind: str, seed: int, count: int, place: int) -> None:
    estimates = _estimates(PLACE, 0.3, count, np.random.default_rng(seed))
    place = min(place, count - 1)
    good = [e for i, e in enumerate(estimates) if i != place]
    estimates[place] = OUTLIERS[kind](estimates[place])
    mean = _mean(estimates)
    assert mean.count == count - 1
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in good], axis=0), atol=1e-12)
    assert angle_between_rad(mean.pose.quat_xyzw, good[0].quat_xyzw)[0] < 1e-6


@pytest.mark.parametrize("kind", OUTLIERS)
@pytest.mark.parametrize("every", [4, 10, 20])
def test_a_stream_with_outliers_never_follows_one(kind: str, every: int) -> None:
    rng, good = np.random.default_rng(every), _estimates(PLACE, 0.3, 200, np.random.default_rng(0))
    first = int(rng.integers(every))
    stream = [OUTLIERS[kind](e) if i % every == first else e for i, e in enumerate(good)]
    truth = Poses.from_xyz_rpy(PLACE, [0.0, 0.0, 0.3])
    for i in range(WINDOW, len(stream)):
        mean = _mean(stream[i - WINDOW : i]).pose
        assert np.linalg.norm(mean.pos_m - truth.pos_m) < 0.002
        assert angle_between_rad(mean.quat_xyzw, truth.quat_xyzw)[0] < 1e-6


@given(seed=SEEDS, count=st.integers(1, WINDOW), yaw=st.floats(-3.1, 3.1), order=st.sampled_from([2, 3, 4, 6]))
def test_turns_that_do_not_show_are_no_outliers(seed: int, count: int, yaw: float, order: int) -> None:
    rng = np.random.default_rng(seed)
    estimates = _estimates(PLACE, yaw, count, rng)
    shown = [_turned(e, (0.0, 0.0, 2 * np.pi * rng.integers(order) / order)) for e in estimates]
    mean = _mean(shown, order)
    assert mean.count == count
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in estimates], axis=0), atol=1e-12)
    assert nearest_angle_rad(mean.pose, estimates[0], order)[0] < 1e-6
    # Turned as most of them are: the answer is not to jump from one way round to another.
    alike = [sum(angle_between_rad(a.quat_xyzw, b.quat_xyzw)[0] < 1e-3 for b in shown) for a in (mean.pose, *shown)]
    assert alike[0] == max(alike)


@given(seed=SEEDS, count=st.integers(1, WINDOW))
def test_of_a_round_part_the_turn_is_none(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    estimates = _estimates(PLACE, 0.0, count, rng)
    mean = _mean([_turned(e, (0.0, 0.0, rng.uniform(-3.1, 3.1))) for e in estimates], 0)
    assert mean.count == count
    np.testing.assert_allclose(mean.pose.rotation.as_matrix()[0, :, 2], [0, 0, 1], atol=1e-6)


def test_turned_by_what_shows_is_an_outlier_of_a_symmetric_part_too() -> None:
    estimates = _estimates(PLACE, 0.0, WINDOW, np.random.default_rng(0))
    estimates[-1] = _turned(estimates[-1], (0.0, 0.0, np.pi / 2))
    assert (_mean(estimates, 2).count, _mean(estimates, 4).count) == (WINDOW - 1, WINDOW)


@given(seed=SEEDS, before=st.integers(1, 15), after=st.integers(CONFIRMED, 15), turn=st.booleans())
def test_a_moved_socket_is_followed_once_confirmed(seed: int, before: int, after: int, turn: bool) -> None:
    rng = np.random.default_rng(seed)
    old = _estimates(PLACE, 0.0, before, rng)
    new = _estimates([0.5 if turn else 0.52, 0.0, 0.1], 0.2 if turn else 0.0, after, rng)
    mean = _mean(old + new)
    assert (mean.count, mean.span) == (after, after)
    np.testing.assert_allclose(mean.pose.pos_m[0], np.mean([e.pos_m[0] for e in new], axis=0), atol=1e-12)


@given(seed=SEEDS, move=st.floats(0.015, 0.1))
def test_a_mean_is_never_between_two_places(seed: int, move: float) -> None:
    rng = np.random.default_rng(seed)
    stream = _estimates(PLACE, 0.0, WINDOW, rng) + _estimates([0.5 + move, 0.0, 0.1], 0.0, WINDOW, rng)
    for i in range(WINDOW, 2 * WINDOW):
        x = _mean(stream[i - WINDOW : i]).pose.pos_m[0, 0]
        assert min(abs(x - 0.5), abs(x - 0.5 - move)) < 0.002


def test_two_that_disagree_are_refused() -> None:
    one, other = (Poses.from_xyz_rpy([x, 0.0, 0.1], [0.0, 0.0, 0.0]) for x in (0.5, 0.6))
    with pytest.raises(RequestError, match="disagree") as refused:
        _mean([one, other])
    assert refused.value.code == "BAD_SOCKET_POSE"


def test_half_of_two_places_in_turns_is_refused() -> None:
    rng = np.random.default_rng(0)
    pairs = zip(_estimates(PLACE, 0.0, 7, rng), _estimates(PLACE, np.pi, 7, rng), strict=True)
    turns = [each for pair in pairs for each in pair]
    with pytest.raises(RequestError, match="got 7"):
        _mean(turns)
    assert _mean(turns, 2).count == 14


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("step_m", [0.0008, 0.001])
def test_drift_in_position_is_refused(seed: int, step_m: float) -> None:
    estimates = _estimates(PLACE, 0.0, WINDOW, np.random.default_rng(seed))
    drifting = [_moved(e, (step_m * i, 0.0, 0.0)) for i, e in enumerate(estimates)]
    with pytest.raises(RequestError, match=r"drifts.* mm over the last ") as refused:
        _mean(drifting)
    assert refused.value.code == "BAD_SOCKET_POSE"


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_drift_in_rotation_is_refused(axis: int) -> None:
    rng = np.random.default_rng(axis)
    estimates = _estimates(PLACE, 0.0, WINDOW, rng)
    turns = np.eye(3)[axis] * 0.005 * np.arange(WINDOW)[:, None] + rng.uniform(-0.005, 0.005, (WINDOW, 3))
    drifting = [_turned(e, tuple(turn)) for e, turn in zip(estimates, turns, strict=True)]
    with pytest.raises(RequestError, match=r"drifts.*rad over the last 15"):
        _mean(drifting)
    # Of a round part the turn about its axis does not count.
    if axis == 2:
        assert _mean(drifting, 0).count == WINDOW


def test_jitter_alone_is_no_drift() -> None:
    rng = np.random.default_rng(0)
    for count in range(1, 31):
        for _ in range(100):
            assert _mean(_estimates(PLACE, 0.0, count, rng)).count == count


def test_averaging_is_worth_it() -> None:
    rng = np.random.default_rng(0)
    errors = [_mean(_estimates([0.0, 0, 0], 0.0, 15, rng)).pose.pos_m[0] for _ in range(200)]
    assert np.abs(errors).mean() < 0.0004


def test_quaternion_sign_does_not_matter() -> None:
    pose = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 3.0])
    flipped = Poses(pos_m=pose.pos_m, quat_xyzw=-pose.quat_xyzw)
    mean = _mean([pose, flipped, pose])
    assert mean.count == 3
    assert angle_between_rad(mean.pose.quat_xyzw, pose.quat_xyzw)[0] < 1e-6
