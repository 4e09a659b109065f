"""Socket estimates one after another: outliers, other ways round, jumps that stay, drift, and votes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses, angle_between_rad
from refinery.task import Task
from refinery.testing.samples import changed, sample
from refinery.tick.guard import EstimateScreen, GuardSettings
from refinery.tick.guard.estimates import apart, consensus
from refinery.tick.pose import Pose
from refinery.tick.samples import PoseSample

SOCKET = Poses.from_xyz_rpy([0.5, 0.02, 0.1], [0.0, 0.0, 0.4])
PERIOD_S = 1 / 15
SYMMETRY = 2


def seen(tick: int, *, xyz_m: tuple = (0.0, 0.0, 0.0), rpy_rad: tuple = (0.0, 0.0, 0.0)) -> PoseSample:
    """The estimate of a tick, off by a shift and a turn in the socket's own frame."""
    pose = SOCKET @ Poses.from_xyz_rpy(xyz_m, rpy_rad)
    return sample(pose, tick * PERIOD_S)


@pytest.fixture
def settings(task: Task) -> GuardSettings:
    return GuardSettings.for_task(task)


@pytest.fixture
def screen(settings: GuardSettings) -> EstimateScreen:
    return EstimateScreen(settings, SYMMETRY)


def test_estimates_of_one_place_pass_unchanged(screen: EstimateScreen) -> None:
    rng = np.random.default_rng(0)
    for tick in range(200):
        good = seen(tick, xyz_m=tuple(rng.uniform(-0.002, 0.002, 3)), rpy_rad=tuple(rng.uniform(-0.03, 0.03, 3)))
        assert screen.screen(good, None) is good
    assert not screen.problem and screen.left_out == 0


@pytest.mark.parametrize("off", [{"xyz_m": (0.03, 0, 0)}, {"rpy_rad": (0, 0, 0.5)}, {"rpy_rad": (0.3, 0, 0)}])
def test_an_outlier_now_and_then_is_left_out(screen: EstimateScreen, off: dict) -> None:
    for tick in range(100):
        wrong = tick % 3 > 0
        used = screen.screen(seen(tick, **off) if wrong and tick else seen(tick), None)
        assert apart(used.pose(), Pose.of(SOCKET)) == pytest.approx((0.0, 0.0), abs=1e-7)
        # It is as old as it is: a stream of outliers ages.
        assert used.stamp_s == (tick - tick % 3) * PERIOD_S
    assert not screen.problem and screen.left_out == 66


@pytest.mark.parametrize("off", [{"xyz_m": (0, 0, 0.025)}, {"rpy_rad": (0, 0, 0.5)}])
def test_outliers_that_stay_are_a_problem(screen: EstimateScreen, settings: GuardSettings, off: dict) -> None:
    screen.screen(seen(0), None)
    for tick in range(1, settings.estimate_outlier_ticks):
        screen.screen(seen(tick, **off), None)
        assert not screen.problem
    screen.screen(seen(settings.estimate_outlier_ticks, **off), None)
    assert f"{settings.estimate_outlier_ticks} in a row" in screen.problem


def test_one_message_looked_at_again_counts_once(screen: EstimateScreen) -> None:
    good, wrong = seen(0), seen(1, rpy_rad=(0, 0, 0.5))
    screen.screen(good, None)
    for _ in range(10):
        assert screen.screen(wrong, None) is good
    assert not screen.problem and screen.left_out == 1


@given(turns=st.lists(st.sampled_from([0.0, np.pi, -np.pi]), min_size=2, max_size=30))
def test_another_way_round_is_turned_to_the_one_in_use(task: Task, turns: list[float]) -> None:
    screen = EstimateScreen(GuardSettings.for_task(task), SYMMETRY)
    first = screen.screen(seen(0, rpy_rad=(0, 0, turns[0])), None).pose()
    for tick, turn in enumerate(turns[1:], 1):
        used = screen.screen(seen(tick, rpy_rad=(0, 0, turn)), None).pose()
        assert apart(used, first)[1] < 1e-6
    assert not screen.problem and screen.left_out == 0


def test_half_a_turn_of_a_part_that_fits_one_way_is_an_outlier(settings: GuardSettings) -> None:
    screen = EstimateScreen(settings, 1)
    screen.screen(seen(0), None)
    screen.screen(seen(1, rpy_rad=(0, 0, np.pi)), None)
    assert screen.left_out == 1


@pytest.mark.parametrize("speed", [{"xyz_m": (0.005, 0, 0)}, {"rpy_rad": (0, 0, 0.1)}])
def test_slow_drift_is_a_problem(screen: EstimateScreen, settings: GuardSettings, speed: dict) -> None:
    rng = np.random.default_rng(1)
    for tick in range(75):
        off = {name: np.array(value) * tick * PERIOD_S for name, value in speed.items()}
        jitter = rng.uniform(-0.002, 0.002, 3)
        screen.screen(
            seen(
                tick,
                xyz_m=tuple(off.get("xyz_m", np.zeros(3)) + jitter),
                rpy_rad=tuple(off.get("rpy_rad", np.zeros(3))),
            ),
            None,
        )
        if screen.problem:
            break
    assert "drifted" in screen.problem
    assert 20 <= tick <= 40


def test_what_is_no_pose_is_left_to_the_guard(screen: EstimateScreen) -> None:
    screen.screen(seen(0), None)
    broken = changed(seen(1), pos_m=(np.nan, 0.0, 0.0))
    assert screen.screen(broken, None) is broken


def test_a_known_reference_makes_the_first_estimate_an_outlier(screen: EstimateScreen) -> None:
    reference = seen(0)
    screen.reset(reference)
    assert screen.screen(seen(1, rpy_rad=(0, 0, 0.5)), None) is reference


def test_most_estimates_decide_and_one_of_them_is_returned(settings: GuardSettings) -> None:
    good, wrong = {}, {"rpy_rad": (0, 0, 0.5)}
    cases = {
        (True,): 0,
        (True, False, True): 2,
        (False, True, True): 2,
        (True, True, False): 1,
        (True, False): None,
        (True, False, True, False): None,
    }
    for pattern, expected in cases.items():
        samples = [seen(tick, **(good if fine else wrong)) for tick, fine in enumerate(pattern)]
        assert consensus(samples, settings, SYMMETRY) is (None if expected is None else samples[expected]), pattern
    flipped = [seen(0), seen(1, rpy_rad=(0, 0, np.pi)), seen(2)]
    assert consensus(flipped, settings, SYMMETRY) is flipped[2]
    assert consensus([], settings, SYMMETRY) is None
    nowhere = changed(seen(0), quat_xyzw=(0.0,) * 4)
    assert consensus([nowhere], settings, SYMMETRY) is None


@given(st.integers(0, 2**32 - 1))
def test_distance_and_angle_are_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-3, 3, 3)) for _ in range(2))
    off_m, off_rad = apart(Pose.of(a), Pose.of(b))
    assert off_m == pytest.approx(np.linalg.norm(a.pos_m - b.pos_m), abs=1e-12)
    assert off_rad == pytest.approx(angle_between_rad(a.quat_xyzw, b.quat_xyzw)[0], abs=1e-6)
