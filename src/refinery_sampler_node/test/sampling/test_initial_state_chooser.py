"""Chosen initial states: inside the box, the same for the same seed, best ones really better, rejections counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.bundle import Bundle
from refinery.rotations import Poses
from refinery_sampler_node.sampling.diversity import choose_diverse
from refinery_sampler_node.sampling.initial_state_chooser import MODES, InitialStateChooser, UnreachableError
from refinery_sampler_node.sampling.reachability import Reach, Reachability

SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 0.1])
SEEDS = st.integers(0, 2**63 - 1)


@settings(max_examples=30, deadline=None)
@given(mode=st.sampled_from(MODES), count=st.integers(1, 40), seed=SEEDS)
def test_inside_the_box_and_deterministic(
    bundle: Bundle, chooser: InitialStateChooser, mode: str, count: int, seed: int
) -> None:
    first, again = (chooser.choose(mode, count, seed) for _ in range(2))
    assert first.theta.shape == (count, 9)
    assert bundle.task.initial_state.deployed.contains(first.theta).all()
    np.testing.assert_array_equal(first.theta, again.theta)
    np.testing.assert_array_equal(first.success.mean, again.success.mean)
    other = chooser.choose(mode, count, seed ^ 1)
    assert not np.array_equal(first.theta, other.theta)
    assert np.all((first.success.low <= first.success.mean) & (first.success.mean <= first.success.high))
    np.testing.assert_allclose(first.log_likelihood, bundle.initial_states.mixture.log_likelihood(first.theta))


@settings(max_examples=20, deadline=None)
@given(count=st.integers(1, 20), seed=SEEDS)
def test_best_predicted_better_than_plain_draws(chooser: InitialStateChooser, count: int, seed: int) -> None:
    best = chooser.choose("best", count, seed).success.mean.mean()
    assert best >= chooser.choose("sample", 300, seed).success.mean.mean()


def test_first_of_the_best_is_the_best_candidate(chooser: InitialStateChooser) -> None:
    choice = chooser.choose("best", 5, 3)
    assert choice.candidates == len(choice.seen) == 320
    assert choice.success.mean[0] == choice.seen_success.max()
    assert chooser.choose("best", 1, 3).candidates == 256


def test_best_are_diverse(bundle: Bundle, chooser: InitialStateChooser) -> None:
    unit = bundle.task.initial_state.deployed.to_unit(chooser.choose("best", 10, 0).theta)
    distances = np.linalg.norm(unit[:, None] - unit[None], axis=2)[np.triu_indices(10, 1)]
    assert distances.min() > 0.1


@pytest.mark.parametrize(("count", "distance"), [(1, 0.5), (7, 0.5), (30, 5.0), (100, 0.5)])
def test_distance_is_relaxed_when_too_few(count: int, distance: float) -> None:
    unit = np.random.default_rng(0).random((30, 2))
    unit[10:15] = unit[10]
    order = np.arange(30)[::-1]
    chosen = choose_diverse(unit, order, count, distance)
    assert len(chosen) == len(set(chosen.tolist())) == min(count, 30)
    assert chosen[0] == 29


def test_all_modes_and_many(bundle: Bundle, chooser: InitialStateChooser) -> None:
    for mode in MODES:
        choice = chooser.choose(mode, 1000, 1)
        assert len(choice.theta) == 1000
        assert len(np.unique(choice.theta, axis=0)) == 1000


@pytest.mark.parametrize(("mode", "count"), [("worst", 1), ("best", 0), ("", 1)])
def test_bad_arguments(chooser: InitialStateChooser, mode: str, count: int) -> None:
    with pytest.raises(ValueError, match="best, sample, uniform"):
        chooser.choose(mode, count, 0)


@pytest.mark.parametrize("mode", MODES)
def test_only_reachable_ones_and_rejections_counted(
    chooser: InitialStateChooser, reachability: Reachability, mode: str
) -> None:
    def right_half(theta: np.ndarray) -> Reach:
        reach = reachability.check(theta, SOCKET)
        ok = theta[:, 0] > 0
        reasons = tuple("" if good else "left half" for good in ok)
        return Reach(tool=reach.tool, joints_rad=reach.joints_rad, ok=ok, reasons=reasons)

    choice = chooser.choose(mode, 12, 5, reachable=right_half)
    assert choice.theta[:, 0].min() > 0
    assert choice.reach is not None
    assert choice.reach.joints_rad.shape == (12, 7)
    assert set(choice.rejected) == {"left half"}


@settings(max_examples=15, deadline=None)
@given(mode=st.sampled_from(MODES), count=st.integers(1, 5), more=st.integers(1, 12), seed=SEEDS, share=st.floats(0, 1))
def test_alternatives_change_nothing_about_the_first(
    chooser: InitialStateChooser, mode: str, count: int, more: int, seed: int, share: float
) -> None:
    def some(theta: np.ndarray) -> Reach:
        # A property of the state alone, which is what the arm's reach is too.
        ok = (1e5 * theta[:, 0]) % 1.0 >= share / 2
        tool = Poses(pos_m=np.zeros((len(theta), 3)), quat_xyzw=np.tile([0.0, 0.0, 0.0, 1.0], (len(theta), 1)))
        reasons = tuple("" if good else "odd" for good in ok)
        return Reach(tool=tool, joints_rad=np.zeros((len(theta), 7)), ok=ok, reasons=reasons)

    alone = chooser.choose(mode, count, seed, reachable=some)
    both = chooser.choose(mode, count, seed, reachable=some, alternatives=more)
    assert len(both.theta) == count + more == len(both.success.mean) == len(np.unique(both.theta, axis=0))
    np.testing.assert_array_equal(both.theta[:count], alone.theta)
    for choice in (alone, both):
        assert len(choice.seen_reasons) == len(choice.seen) == choice.candidates
        assert sum(map(bool, choice.seen_reasons)) == sum(choice.rejected.values())
        rejected = choice.seen[[bool(reason) for reason in choice.seen_reasons]]
        assert not (rejected[:, None] == choice.theta[None]).all(axis=2).any()


@pytest.mark.parametrize("mode", MODES)
def test_nothing_reachable_says_why(chooser: InitialStateChooser, reachability: Reachability, mode: str) -> None:
    far = Poses.from_xyz_rpy([2.0, 0.0, 0.1], [0.0, 0.0, 0.0])
    with pytest.raises(UnreachableError, match=r"expected 3 .* found 0 .* no inverse kinematics"):
        chooser.choose(mode, 3, 0, reachable=lambda theta: reachability.check(theta, far))
