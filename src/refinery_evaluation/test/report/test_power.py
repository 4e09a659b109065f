from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from refinery.errors import ConfigError
from refinery_evaluation.report.power import detectable_from, trials_to_tell


@pytest.mark.parametrize(("first", "second", "expected"), [(0.5, 0.6, 388), (0.95, 0.98, 588), (0.1, 0.2, 199)])
def test_sample_sizes_of_the_textbook(first: float, second: float, expected: int) -> None:
    """388 and 199 are the usual tabulated values (without continuity correction); 588 was worked out by hand."""
    assert trials_to_tell(first, second) == expected


def test_the_sample_size_gives_the_power_it_promises() -> None:
    rng = np.random.default_rng(0)
    n = trials_to_tell(0.7, 0.85)
    a, b = rng.binomial(n, 0.7, 20_000) / n, rng.binomial(n, 0.85, 20_000) / n
    pooled = (a + b) / 2
    z = np.abs(a - b) / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert np.mean(z > stats.norm.ppf(0.975)) == pytest.approx(0.8, abs=0.02)


def test_equal_rates_cannot_be_told_apart() -> None:
    with pytest.raises(ConfigError, match="differs"):
        trials_to_tell(0.9, 0.9)


@given(st.floats(0, 1), st.integers(1, 5000))
def test_what_is_detectable_needs_no_more_trials_than_there_are(rate: float, trials: int) -> None:
    better = detectable_from(rate, trials)
    if better is None:
        assert rate >= 1 or trials_to_tell(rate, 1.0) > trials
    else:
        assert rate < better <= 1
        # The search stops within 1e-4 of the border.
        assert trials_to_tell(rate, min(better + 2e-4, 1.0)) <= trials


def test_twenty_trials_cannot_tell_85_from_100_percent() -> None:
    assert detectable_from(0.85, 20) is None
    assert detectable_from(0.5, 20) == pytest.approx(0.9, abs=0.02)
