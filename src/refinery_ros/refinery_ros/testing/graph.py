"""A ROS domain and a spinning node for the tests of every package. Only tests import this module."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import rclpy
from domain_coordinator import domain_id
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

_SPIN_S = 0.05
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
