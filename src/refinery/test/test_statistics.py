import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.errors import ConfigError
from refinery.statistics import (
    Rate,
    held_out_bits,
    paired_difference_interval,
    paired_p_value,
    rate_difference_interval,
)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_contains_the_rate_and_stays_in_range(kn):
    rate = Rate(k=kn[0], n=kn[1])
    low, high = rate.interval
    assert 0 <= low <= rate.value + 1e-12 and rate.value - 1e-12 <= high <= 1


def test_wilson_matches_the_textbook():
    # Brown, Cai, DasGupta (2001): Wilson for 19/20 at 95 %.
    assert Rate(k=19, n=20).interval == pytest.approx((0.7639, 0.9911), abs=1e-4)


@pytest.mark.parametrize(("k", "n"), [(0, 0), (3, 2), (-1, 5)])
def test_impossible_counts_are_refused(k, n):
    with pytest.raises(ConfigError):
        Rate(k=k, n=n)


def test_paired_test_looks_at_discordant_pairs_only():
    a = np.array([True] * 50 + [False] * 10)
    b = np.array([True] * 60)
    assert paired_p_value(a, b) == pytest.approx(2 / 2**10)
    assert paired_p_value(a, a) == 1.0


def test_the_interval_of_paired_differences_needs_pairs_that_differ():
    a = np.array([True] * 60 + [False] * 40)
    assert paired_difference_interval(a, a) == (0.0, 0.0)
    b = a.copy()
    b[:10] = False
    # Ten of a hundred differences are -1: mean -0.1, standard deviation 0.3015.
    assert paired_difference_interval(a, b) == pytest.approx((-0.1591, -0.0409), abs=1e-4)


def test_newcombe_matches_the_published_example():
    # Newcombe (1998), table II (a): 56/70 against 48/80, method 10: 0.0524 to 0.3339.
    low, high = rate_difference_interval(Rate(k=48, n=80), Rate(k=56, n=70))
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=2e-4)


def test_bits_reward_knowing_and_punish_guessing():
    y = np.array([True] * 50 + [False] * 50)
    assert held_out_bits(y, np.where(y, 0.9, 0.1), 0.5) == pytest.approx(np.log2(1.8))
    assert held_out_bits(y, np.where(y, 0.1, 0.9), 0.5) < 0
    assert held_out_bits(y, np.full(100, 0.5), 0.5) == 0
