import subprocess
import sys

import numpy as np
import pytest
from fieldtrial.stats import mcnemar_power
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from refinery.errors import ConfigError
from refinery.statistics import (
    PairedComparison,
    Rate,
    anytime_comparison,
    held_out_bits,
    holm,
    paired_difference_interval,
    paired_p_value,
    paired_power,
    pairs_to_tell,
    prediction_powered_rate,
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


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_clopper_pearson_is_scipy_s_exact_interval(kn):
    k, n = kn
    expected = stats.binomtest(k, n).proportion_ci(confidence_level=0.95, method="exact")
    assert Rate(k=k, n=n).exact_interval == pytest.approx(tuple(expected), abs=1e-9)


@pytest.mark.parametrize(
    ("only_second", "only_first", "n", "interval"),
    [
        # Fagerland, Lydersen and Laake (2014), Statistics in Medicine 33: airway hyper-responsiveness of 21 children.
        (1, 7, 21, (-0.517, -0.026)),
        # Without differing pairs z^2 / (n + z^2).
        (0, 0, 30, (-0.1135, 0.1135)),
    ],
)
def test_the_paired_interval_is_tango_s(only_second, only_first, n, interval):
    found = PairedComparison(only_first=only_first, only_second=only_second, n=n)
    # Solves |T(d)| = z, T being the score statistic: written out here once more, from the paper.
    for end in found.interval:
        b = -(only_second + only_first) + (2 * n - only_second + only_first) * end
        q = (-b + np.sqrt(b * b + 8 * n * only_first * end * (1 - end))) / (4 * n)
        score = (only_second - only_first - n * end) / np.sqrt(n * (2 * q + end * (1 - end)))
        assert abs(score) == pytest.approx(stats.norm.ppf(0.975), abs=1e-6)
    assert found.interval == pytest.approx(interval, abs=5e-4)


def test_a_comparison_counts_pairs():
    found = PairedComparison.of([True, True, False, False], [True, False, True, True])
    assert (found.only_first, found.only_second, found.n) == (1, 2, 4)
    assert found.difference == 0.25 and found.p_value == 1.0
    with pytest.raises(ConfigError):
        PairedComparison(only_first=3, only_second=3, n=5)


def test_exact_power_is_fieldtrial_s():
    assert paired_power(0.05, 0.15, 70) == pytest.approx(mcnemar_power(0.05, 0.15, 70).power, rel=1e-9)


@pytest.mark.parametrize(("lost", "gained", "pairs"), [(0.02, 0.07, 303), (0.05, 0.10, 498)])
def test_pairs_by_exact_power(lost, gained, pairs):
    # Connett, Smith and McHugh (1987), Statistics in Medicine 6, for the asymptotic test; the exact one needs more.
    z, zb = stats.norm.ppf([0.975, 0.8])
    total, difference = lost + gained, gained - lost
    asymptotic = (z * np.sqrt(total) + zb * np.sqrt(total - difference**2)) ** 2 / difference**2
    assert pairs_to_tell(lost, gained) == pairs
    assert asymptotic < pairs < 1.15 * asymptotic
    with pytest.raises(ConfigError):
        pairs_to_tell(lost, lost)


def test_looking_after_every_pair_does_not_raise_the_error_rate():
    rng = np.random.default_rng(0)
    anytime = fixed = 0
    for _ in range(60):
        a, b = rng.random((2, 100)) < 0.85
        anytime += anytime_comparison(a, b).decided_at is not None
        fixed += min(paired_p_value(a[:n], b[:n]) for n in range(10, 101, 10)) <= 0.05
    # 5 % of 60 is 3; a test for one fixed number of trials, looked at ten times, shows more.
    assert anytime <= 3 < fixed


def test_looking_early_finds_a_large_difference_and_says_when():
    a = np.array([False, True] * 40)
    found = anytime_comparison(a, np.ones(80, dtype=bool))
    assert found.decided_at is not None and found.decided_at < 80
    assert found.interval[0] > 0 and found.p_value < 0.05
    assert anytime_comparison(a, a).decided_at is None


def test_holm_s_textbook_example():
    # Holm (1979): multiply by the number of hypotheses left, keep the order.
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()


def test_predictions_help_where_they_know_something_and_never_bias():
    rng = np.random.default_rng(0)
    covered = narrower = 0
    for _ in range(200):
        chance = rng.random(4000)
        outcomes = rng.random(4000) < chance
        found = prediction_powered_rate(outcomes[:60], 0.3 + 0.5 * chance[:60], 0.3 + 0.5 * chance[60:])
        plain = 1.96 * outcomes[:60].std() / np.sqrt(60)
        covered += found.low <= 0.5 <= found.high
        narrower += found.high - found.low < 2 * plain
    # The predictions are wrong by a scale and an offset: the interval still covers, and is narrower nearly always.
    assert covered >= 180 and narrower >= 190


def test_predictions_that_know_nothing_are_not_used():
    outcomes = np.array([True, False] * 30)
    found = prediction_powered_rate(outcomes, np.full(60, 0.9), np.full(500, 0.9))
    assert (found.value, found.weight) == (0.5, 0.0)
