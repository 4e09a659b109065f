"""The node's check of an observation agrees with the envelope it comes from, and says which value is strange."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from refinery.observation import OBSERVATION_SIZE
from refinery.testing.bundles import tiny_envelope
from refinery.tick.guard.out_of_distribution import OutOfDistributionDetector

N = OBSERVATION_SIZE


def whitening() -> np.ndarray:
    """For two values that go together: plug_pos_coarse z and spring_stretch z."""
    correlation = np.eye(N)
    correlation[2, 17] = correlation[17, 2] = 0.99
    return np.linalg.cholesky(np.linalg.inv(correlation)).T


ENVELOPE = tiny_envelope(3, whitening())


def away(**deviations: float) -> np.ndarray:
    """An observation so many deviations from the mean, by the value's number: ``v2=3.0``."""
    observation = ENVELOPE.mean.copy()
    for name, deviation in deviations.items():
        observation[int(name[1:])] += deviation * ENVELOPE.std[int(name[1:])]
    return observation[None].astype(np.float32)


@given(hnp.arrays(np.float32, (1, N), elements=st.floats(-20, 20, width=32)), st.floats(0.0, 1.0))
def test_the_check_agrees_with_the_envelope(raw: np.ndarray, share: float) -> None:
    observation = (ENVELOPE.mean + share * raw).astype(np.float32)
    check = OutOfDistributionDetector(ENVELOPE)
    ratios = np.abs(observation - (ENVELOPE.high + ENVELOPE.low) / 2) / ((ENVELOPE.high - ENVELOPE.low) / 2)
    distance = float(ENVELOPE.distance(observation)[0]) / ENVELOPE.max_distance
    # Right on the border rounding decides, here as there.
    if abs(ratios.max() - 1) < 1e-6 or abs(distance - 1) < 1e-6:
        return
    assert (check.check(observation) == "") == bool(ENVELOPE.inside(observation)[0])
    assert (check.check_start(observation) == "") == bool(ENVELOPE.bounded(observation)[0])


def test_a_value_out_of_its_bounds_is_named_with_them() -> None:
    message = OutOfDistributionDetector(ENVELOPE).check(away(v2=3.0, v8=-9.0))
    low, high = ENVELOPE.low[8], ENVELOPE.high[8]
    assert message.startswith("observation plug_rotvec z: ")
    assert f"{away(v8=-9.0)[0, 8]:.3g} (unit: 0.1 rad)" in message
    assert message.endswith(f"stayed within {low:.3g} to {high:.3g}")


def test_values_that_never_went_together_are_named_by_the_strangest() -> None:
    check = OutOfDistributionDetector(ENVELOPE)
    assert check.check(away(v2=6.0, v17=6.0)) == ""
    message = check.check(away(v2=0.0, v17=6.0))
    assert message.startswith("observation: an unknown combination, distance ")
    assert "the limit is 12; most of it is spring_stretch z: " in message
    assert f"{ENVELOPE.mean[17]:.3g} +- {ENVELOPE.std[17]:.2g}" in message
    # At a start the combination does not count, the bounds do.
    assert check.check_start(away(v17=6.0)) == ""
    assert "spring_stretch z" in check.check_start(away(v17=9.0))


def test_only_so_many_in_a_row_stop_and_a_start_forgets() -> None:
    check, good, bad = OutOfDistributionDetector(ENVELOPE), away(), away(v27=9.0)
    assert [check.watch(each) for each in (bad, bad, good, bad, bad)] == [""] * 5
    check.reset()
    assert [check.watch(each) for each in (bad, bad)] == [""] * 2
    message = check.watch(bad)
    assert message.startswith("observation time_left: ") and message.endswith(", 3 ticks in a row")
    assert check.watch(bad).endswith(", 4 ticks in a row")
    assert check.watch(good) == ""


def test_one_tick_is_enough_where_the_envelope_says_so() -> None:
    check = OutOfDistributionDetector(dataclasses.replace(ENVELOPE, ticks=1))
    assert check.watch(away(v0=9.0)).endswith(", 1 ticks in a row")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_outside(value: float) -> None:
    observation = away()
    observation[0, 5] = value
    check = OutOfDistributionDetector(ENVELOPE)
    with np.errstate(invalid="ignore"):
        assert "plug_pos_fine z" in check.check(observation)
        assert "plug_pos_fine z" in check.check_start(observation)
    assert check.check(away()) == ""


@given(hnp.arrays(np.float32, (1, N), elements=st.floats(-3, 3, width=32)))
def test_an_observation_is_only_read(raw: np.ndarray) -> None:
    check, before = OutOfDistributionDetector(ENVELOPE), raw.copy()
    first = check.check(raw)
    assert check.check(away(v1=30.0)) and check.check(raw) == first
    np.testing.assert_array_equal(raw, before)
    assert check.check(raw[0]) == first
