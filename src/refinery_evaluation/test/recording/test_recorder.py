"""The recorder keeps what it is asked for, and a full disk costs the recording and nothing else."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import pytest
from recording.messages import steps_in, tick

from refinery.errors import StorageError
from refinery_evaluation.recording.recorder import Recorder, RecorderSettings
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.recording.ring import Ring
from refinery_evaluation.recording.topic import BagTopic, Qos

SETTINGS = RecorderSettings(ring_s=2.0, after_s=1.0, min_free_bytes=0)


def run(recorder: Recorder, topic: BagTopic, steps: range, *, weight: int = 0) -> float:
    """Ten messages a second; returns the time of the last."""
    for step in steps:
        recorder.add(topic, step * 100_000_000, tick(step, weight))
        recorder.tick(0.1 * step)
    return 0.1 * steps[-1]


@pytest.fixture
def plain(topic: BagTopic) -> BagTopic:
    return BagTopic(name="/plain", type=topic.type, definition=topic.definition)


def test_all_is_recorded_between_begin_and_end(plain: BagTopic, tmp_path: Path) -> None:
    recorder = Recorder(SETTINGS)
    run(recorder, plain, range(5))
    recorder.begin(tmp_path / "a", 0.5)
    run(recorder, plain, range(5, 30))
    recorder.end(3.0)
    run(recorder, plain, range(30, 35))
    assert steps_in(tmp_path / "a") == list(range(5, 30))
    assert (recorder.problem, recorder.messages, recorder.lost) == ("", 25, 0)


def test_the_last_latched_message_is_in_every_bag(topic: BagTopic, plain: BagTopic, tmp_path: Path) -> None:
    recorder = Recorder(SETTINGS)
    for step in (100, 101):
        recorder.add(topic, step, tick(step))
    for ring in (False, True):
        recorder.begin(tmp_path / str(ring), 0.0, ring=ring)
        run(recorder, plain, range(90))
        recorder.end(9.0)
        recorder.tick(99.0)
        steps = steps_in(tmp_path / str(ring))
        assert steps.count(101) == 1 and 100 not in steps


def test_a_ring_keeps_the_seconds_before_and_after_a_failure(plain: BagTopic, tmp_path: Path) -> None:
    recorder = Recorder(SETTINGS)
    recorder.begin(tmp_path / "failed", 0.0, ring=True)
    now_s = run(recorder, plain, range(60))
    recorder.end(now_s, keep=True)
    run(recorder, plain, range(60, 100))
    # Two seconds before the last message, one after: that of 6.9 s is the last whose time has not come.
    assert steps_in(tmp_path / "failed") == list(range(39, 70))
    recorder.begin(tmp_path / "won", 10.0, ring=True)
    run(recorder, plain, range(100, 120))
    recorder.end(12.0, keep=False)
    recorder.tick(99.0)
    assert not (tmp_path / "won").exists()


def test_a_ring_keeps_to_its_size(plain: BagTopic) -> None:
    ring = Ring(1000.0, 10 * len(tick(0)))
    for step in range(50):
        ring.add(plain, step, tick(step))
    assert [stamp for _, stamp, _ in ring.empty()] == list(range(40, 50)) and len(ring) == 0


def test_a_full_disk_costs_the_rest_of_the_recording_only(plain: BagTopic, tmp_path: Path) -> None:
    recorder = Recorder(SETTINGS)
    recorder.begin(tmp_path / "full", 0.0)
    run(recorder, plain, range(15), weight=40_000)
    # Files may not grow any more: the same error path as of a full disk, for this process alone.
    size = (tmp_path / "full" / "full_0.mcap.part").stat().st_size
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, limits[1]))
    try:
        run(recorder, plain, range(15, 40), weight=40_000)
        assert "larger than a file may be" in recorder.problem and recorder.lost > 0
        recorder.end(4.0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    ((bag, count),) = recover_all(tmp_path)
    assert steps_in(bag) == list(range(count)) and count >= 10
    recorder.begin(tmp_path / "next", 5.0)
    run(recorder, plain, range(50, 60))
    recorder.end(6.0)
    assert steps_in(tmp_path / "next") == list(range(50, 60)) and recorder.problem == ""


def test_without_free_space_no_bag_is_begun(plain: BagTopic, tmp_path: Path) -> None:
    recorder = Recorder(RecorderSettings(min_free_bytes=10**18))
    with pytest.raises(StorageError, match="MB are free"):
        recorder.begin(tmp_path / "new" / "bag", 0.0)
    run(recorder, plain, range(3))
    assert recorder.lost == 4 and "MB are free" in recorder.problem
    assert not (tmp_path / "new").exists()


def test_quality_of_service_is_checked() -> None:
    with pytest.raises(Exception, match="reliability"):
        Qos(reliability="maybe")
