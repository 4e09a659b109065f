import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

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


@pytest.mark.parametrize(
    ("second", "first", "interval"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 20), (0.6791, 1.0)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_matches_the_published_examples(second, first, interval):
    # Newcombe (1998), table II, method 10.
    (k1, n1), (k2, n2) = first, second
    found = rate_difference_interval(Rate(k=k1, n=n1), Rate(k=k2, n=n2))
    assert found == pytest.approx(interval, abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_scipy_s(kn):
    k, n = kn
    scipy_s = stats.binomtest(k, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert Rate(k=k, n=n).interval == pytest.approx(tuple(scipy_s), abs=1e-12)


@given(st.integers(0, 200), st.integers(0, 200), st.integers(1, 50))
def test_the_paired_test_is_scipy_s_binomial_test_of_the_pairs_that_differ(only_a, only_b, alike):
    a = np.array([True] * only_a + [False] * only_b + [True] * alike)
    b = np.array([False] * only_a + [True] * only_b + [True] * alike)
    expected = stats.binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    assert paired_p_value(a, b) == pytest.approx(expected, rel=1e-12)


def test_statistics_bring_no_more_than_numpy_and_scipy():
    # fieldtrial's own requirements (a web server, a database) are not installed.
    script = """
import sys
import scipy.integrate, scipy.optimize, scipy.stats.contingency, refinery.config
before = set(sys.modules)
import refinery.statistics
new = {name.partition(".")[0] for name in set(sys.modules) - before} - sys.stdlib_module_names
print(*sorted(new))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"fieldtrial", "numpy", "refinery", "scipy"}


def test_bits_reward_knowing_and_punish_guessing():
    y = np.array([True] * 50 + [False] * 50)
    assert held_out_bits(y, np.where(y, 0.9, 0.1), 0.5) == pytest.approx(np.log2(1.8))
    assert held_out_bits(y, np.where(y, 0.1, 0.9), 0.5) < 0
    assert held_out_bits(y, np.full(100, 0.5), 0.5) == 0
