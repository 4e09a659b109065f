"""Deadline of a request."""

from __future__ import annotations

import time


class Deadline:
    """A moment on the machine's steady clock.

    Args:
        timeout_s: From now, [s].
    """

    def __init__(self, timeout_s: float) -> None:
        self._end_s = time.monotonic() + timeout_s

    @property
    def left_s(self) -> float:
        """Time left, >= 0, [s]."""
        return max(0.0, self._end_s - time.monotonic())

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self.left_s == 0.0
