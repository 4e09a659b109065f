"""A ROS domain, a spinning node and patient questions for the tests of every package. Only tests import this module."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rclpy
from domain_coordinator import domain_id
from rclpy.client import Client
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.task import Future

_SPIN_S = 0.05
_ASK_AGAIN_S = 15.0
_DOMAINS = 100
"""domain_coordinator has the numbers 1 to 100."""
_NEXT = itertools.count(os.getpid() * 13)
"""Where this process goes on looking: a killed participant is still announced on its domain for seconds."""


def _next_domain() -> int:
    return 1 + next(_NEXT) % _DOMAINS


@contextmanager
def own_domain() -> Iterator[dict[str, str]]:
    """Give this process and its children a ROS domain that no other process on this machine uses, or used just now.

    Yields:
        The environment with that domain.
    """
    with domain_id(_next_domain) as number:
        ours = {"ROS_DOMAIN_ID": str(number), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        before = {name: os.environ.get(name) for name in ours}
        os.environ.update(ours)
        try:
            yield dict(os.environ)
        finally:
            for name, value in before.items():
                os.environ.pop(name)
                if value is not None:
                    os.environ[name] = value


@contextmanager
def spinning_node(name: str) -> Iterator[Node]:
    """Put a node on the graph, in a context of its own, and spin it in a thread.

    Args:
        name: Node name.

    Yields:
        The node; subscriptions and services added to it are served.
    """
    context, ended = rclpy.Context(), threading.Event()
    rclpy.init(context=context)
    node = rclpy.create_node(name, context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)

    def spin() -> None:
        # Not executor.spin(): shutting an executor down under a spinning thread raises in that thread now and then.
        while not ended.is_set():
            executor.spin_once(timeout_sec=_SPIN_S)

    thread = threading.Thread(target=spin, daemon=True)
    thread.start()
    try:
        yield node
    finally:
        ended.set()
        thread.join()
        executor.shutdown()
        # Otherwise the node stays on the graph, with its services, until it is garbage-collected.
        node.destroy_node()
        rclpy.shutdown(context=context)


def asking(client: Client, request: Any) -> Callable[[], Any]:
    """Ask a service, and ask again where the answer was lost.

    A server that does not know a new client's end of the answers yet drops the answer, which on a busy machine takes
    longer than the middleware waits (https://github.com/ros2/rmw_fastrtps/issues/842).

    Args:
        client: Of the service, which is ready; somebody else spins it.
        request: Sent at the first call.

    Returns:
        Returns the first answer, or None so far; to be called until there is one.
    """
    asked: list[Future] = []
    again_s = 0.0

    def answer() -> Any:
        nonlocal again_s
        done = next((future for future in asked if future.done()), None)
        if done is None and time.monotonic() > again_s:
            asked.append(client.call_async(request))
            again_s = time.monotonic() + _ASK_AGAIN_S
        return None if done is None else done.result()

    return answer
