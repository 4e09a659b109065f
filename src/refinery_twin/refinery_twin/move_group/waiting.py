"""Waiting without blocking the thread that talks to the graph, and a second thread for what takes long."""

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
_LOOK_S = 0.02


class _Pass:
    """Awaiting it lets the executor go on; it comes back at its next wake-up."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class Waiter:
    """Lets coroutines of an executor wait for conditions.

    Args:
        node: Gets a timer that wakes the executor up while somebody waits.
        group: Of the timer.
    """

    def __init__(self, node: Node, group: CallbackGroup) -> None:
        self._waiting = 0
        # Steady time: with a simulated clock that stops, the timer must go on to notice.
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_LOOK_S, lambda: None, callback_group=group, clock=steady)
        self._timer.cancel()

    async def until(self, condition: Callable[[], bool], timeout_s: float = math.inf) -> bool:
        """Wait until a condition holds, looked at with every wake-up of the executor.

        Args:
            condition: Called in the executor's thread.
            timeout_s: Longest wait by the clock on the wall, [s]. On a machine that is too busy to let it look often it
                takes longer: what is waited for is held up too.

        Returns:
            Whether it holds.
        """
        end_s, looks_left = time.monotonic() + timeout_s, timeout_s / _LOOK_S / 2
        self._waiting += 1
        self._timer.reset()
        try:
            while not condition():
                if time.monotonic() >= end_s and looks_left <= 0:
                    return False
                looks_left -= 1
                await _Pass()
            return True
        finally:
            self._waiting -= 1
            if not self._waiting:
                self._timer.cancel()


class Worker:
    """The one thread that plans; jobs run in the order they come.

    Args:
        node: Its executor is woken up when a job is done.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="planning")

    def start(self, job: Callable[[], T]) -> Future[T]:
        """Queue a job; nobody needs to wait for it."""
        running = self._pool.submit(job)
        running.add_done_callback(lambda _: self._wake())
        return running

    def close(self) -> None:
        """End the thread after the job that runs; those that wait are dropped."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _wake(self) -> None:
        executor = self._node.executor
        if executor is not None:
            executor.wake()
