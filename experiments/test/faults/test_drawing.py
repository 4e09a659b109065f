"""What a campaign injects is repeatable, complete and within what the twin takes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.faults.drawing import draw
from experiments.faults.expectations import CASES
from refinery_twin.faults import KINDS, FaultSchedule


def test_a_full_campaign_strikes_every_case_and_more() -> None:
    drawn = draw(500, 0)
    assert len(drawn) == 500
    assert {item.case for item in drawn if item.case is not None} == set(CASES)
    assert sum(item.case is None for item in drawn) >= 250


@settings(max_examples=20)
@given(count=st.integers(1, 200), seed=st.integers(0, 2**32))
def test_every_drawn_fault_is_one_the_twin_takes(count: int, seed: int) -> None:
    drawn = draw(count, seed)
    assert drawn == draw(count, seed)
    assert len(drawn) == count
    for item in (item.injection for item in drawn):
        assert 0 <= item.delay_s < item.timeout_s
        if item.kind in KINDS:
            FaultSchedule().plan(
                item.kind,
                item.stream,
                now_s=0.0,
                delay_s=item.delay_s,
                duration_s=item.duration_s,
                magnitude=item.magnitude,
            )
