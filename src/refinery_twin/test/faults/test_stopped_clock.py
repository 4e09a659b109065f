from refinery_twin.faults import FaultSchedule, StoppedClock


class Wall:
    """A clock that goes on when told."""

    time_s = 100.0

    def __call__(self):
        return self.time_s


def stopped(**plan):
    schedule, wall = FaultSchedule(), Wall()
    schedule.plan("clock_stop", "", now_s=5.0, **plan)
    return StoppedClock(schedule, wall), schedule, wall


def test_it_ends_after_its_duration_by_the_clock_on_the_wall():
    clock, schedule, wall = stopped(delay_s=1.0, duration_s=2.0)
    wall.time_s += 50.0
    assert not clock.on(5.9), "it begins by simulated time"
    assert clock.on(6.0)
    wall.time_s += 1.9
    assert clock.on(6.0)
    wall.time_s += 0.1
    assert not clock.on(6.0) and not schedule


def test_without_a_duration_it_ends_when_told():
    clock, schedule, wall = stopped()
    assert clock.on(5.0)
    wall.time_s += 1e6
    assert clock.on(5.0)
    schedule.clear()
    assert not clock.on(5.0)


def test_a_second_stop_counts_its_own_time():
    clock, schedule, wall = stopped(duration_s=2.0)
    assert clock.on(5.0)
    wall.time_s += 2.0
    assert not clock.on(5.0)
    assert not clock.on(5.1)
    schedule.plan("clock_stop", "", now_s=5.2, duration_s=2.0)
    assert clock.on(5.2)
    wall.time_s += 1.0
    assert clock.on(5.2)


def test_other_faults_do_not_stop_it():
    schedule = FaultSchedule()
    schedule.plan("drop", "pose", now_s=0.0)
    assert not StoppedClock(schedule, Wall()).on(0.0)
