import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery_twin.faults import KINDS, FaultError, FaultSchedule

TIMES = st.floats(0, 100)


BY_WALL = {name for name, kind in KINDS.items() if kind.by_wall_clock}


@given(st.sampled_from(sorted(KINDS.keys() - BY_WALL)), TIMES, TIMES, st.floats(0.001, 10), TIMES)
def test_a_fault_is_on_from_its_beginning_to_its_end(kind, now, delay, duration, later):
    schedule = FaultSchedule()
    fault = schedule.plan(kind, "", now_s=now, delay_s=delay, duration_s=duration)
    moment = now + later
    assert schedule.on(kind, moment) == (fault.begins_s <= moment < fault.ends_s)
    assert fault.streams == KINDS[kind].streams and fault.magnitude == KINDS[kind].default


@given(st.sampled_from(sorted(BY_WALL)), st.floats(0.001, 10), TIMES)
def test_what_stops_the_clock_does_not_end_by_it(kind, duration, later):
    schedule = FaultSchedule()
    fault = schedule.plan(kind, "", now_s=1.0, duration_s=duration)
    assert schedule.on(kind, 1.0 + duration + later) and fault.lasts_wall_s == duration
    schedule.end(fault)
    assert not schedule


def test_without_a_duration_it_lasts_until_cleared():
    schedule = FaultSchedule()
    schedule.plan("drop", "pose", now_s=1.0)
    assert schedule.on("drop", 1e6) and schedule
    schedule.clear()
    assert not schedule.on("drop", 1e6) and not schedule


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ({"kind": "gremlin", "stream": ""}, "kind: expected one of drop, delay"),
        ({"kind": "nan", "stream": "robot_state"}, "nan can strike pose, wrench, socket_pose, got 'robot_state'"),
        ({"kind": "reflex", "stream": "pose"}, "it concerns the whole cell"),
        ({"kind": "drop", "stream": "pose", "delay_s": -1.0}, "delay_s: expected"),
        ({"kind": "drop", "stream": "pose", "duration_s": math.inf}, "duration_s: expected"),
        ({"kind": "jump", "stream": "pose", "magnitude": math.nan}, "magnitude: expected"),
    ],
)
def test_what_cannot_be_injected_is_refused_and_nothing_is_planned(request_, words):
    schedule = FaultSchedule()
    with pytest.raises(FaultError, match=words):
        schedule.plan(**request_, now_s=0.0)
    assert not schedule
