"""The last seconds of all topics, in memory, for when only failures are worth a recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from refinery.config import check
from refinery_evaluation.recording.topic import BagTopic

Sample = tuple[BagTopic, int, bytes]
"""Topic, time of receipt [ns], serialised message."""


class Ring:
    """Keeps messages for a time, as far as they fit.

    Args:
        seconds: How long, > 0 [s].
        max_bytes: How much at most, > 0.
    """

    def __init__(self, seconds: float, max_bytes: int) -> None:
        check(seconds > 0, "seconds", "a positive time [s]", seconds)
        check(max_bytes > 0, "max_bytes", "a positive size", max_bytes)
        self._span_ns, self._max_bytes = int(seconds * 1e9), max_bytes
        self._kept: deque[Sample] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        """Messages kept."""
        return len(self._kept)

    def add(self, topic: BagTopic, stamp_ns: int, data: bytes) -> None:
        """Keep a message and forget what is too old or too much."""
        self._kept.append((topic, stamp_ns, data))
        self._bytes += len(data)
        oldest = stamp_ns - self._span_ns
        while len(self._kept) > 1 and (self._kept[0][1] < oldest or self._bytes > self._max_bytes):
            self._bytes -= len(self._kept.popleft()[2])

    def empty(self) -> Iterator[Sample]:
        """Hand out what is kept, in order, and forget it."""
        while self._kept:
            yield self._kept.popleft()
        self._bytes = 0
