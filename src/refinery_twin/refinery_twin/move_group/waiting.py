"""Waiting without blocking the thread that serves the graph, and a second thread for long computations."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from rclpy.callback_groups import CallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

T = TypeVar("T")
_PERIOD_S = 0.02


class _Yield:
    """Awaiting it returns control to the executor until its next wake-up."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Waiter:
    """Lets coroutines of an executor wait for conditions.

    Args:
        node: Gets a timer that wakes the executor while a coroutine waits.
        group: Callback group of the timer.
    """

    def __init__(self, node: Node, group: CallbackGroup) -> None:
        self._waiting = 0
        # Steady time: the timer must go on to notice a simulated clock that stops.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD_S, lambda: None, callback_group=group, clock=steady)
        self._timer.cancel()

    async def until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        """Wait until a condition holds, checked at every wake-up of the executor.

        Args:
            condition: Called in the executor's thread.
            timeout_s: Longest wait, wall clock, [s]. On a machine that is too busy to check often it is extended: the
                condition is delayed as well.

        Returns:
            Whether it holds.
        """
        end_s, checks_left = time.monotonic() + timeout_s, timeout_s / _PERIOD_S / 2
        self._waiting += 1
        self._timer.reset()
        try:
            while not condition():
                if time.monotonic() >= end_s and checks_left <= 0:
                    return False
                checks_left -= 1
                await _Yield()
            return True
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._timer.cancel()


class Worker:
    """The one thread that plans; jobs run in the order they come.

    Args:
        node: Its executor is woken when a job is done.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job and return its future."""
        running = self._pool.submit(job)
        running.add_done_callback(lambda _: self._wake())
        return running

    def close(self) -> None:
        """End the thread after the running job; queued ones are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _wake(self) -> None:
        executor = self._node.executor
        if executor is not None:
            executor.wake()
