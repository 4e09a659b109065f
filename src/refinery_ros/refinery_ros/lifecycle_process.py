"""The main function of a lifecycle node: autostart, service until a signal, an orderly end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rclpy.executors import SingleThreadedExecutor

from refinery.bringup.graph import settle
from refinery_ros.lifecycle import ManagedNode
from refinery_ros.process import StopSignal, run_node_process

_SPIN_S = 0.1
_SHUTDOWN_S = 1.0
_FLUSH_S = 0.5
"""After the end of the last action goal its result is still to be sent, [s]."""


def run_lifecycle_node(name: str, make: Callable[[], ManagedNode], args: Sequence[str] | None = None) -> int:
    """Run a managed node until SIGINT or SIGTERM.

    With its parameter ``autostart`` the node is configured and activated first, after ``discovery_s`` in which it
    discovers the other nodes; activation is repeated for :attr:`ManagedNode.autostart_timeout_s`.

    Args:
        name: Name of the program, for errors.
        make: Returns the node.
        args: Command line; the process's if None.

    Returns:
        The exit status: 0 after a signal, 1 if the node could not be made or started.
    """
    return run_node_process(name, make, _run, args)


def _run(node: ManagedNode, stop: StopSignal) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.get_parameter("autostart").value and not _autostart(node, executor, stop):
            return 1
        while not stop.is_set():
            node.spin_once(executor, _SPIN_S)
        _end(node, executor, stop)
        return 0
    finally:
        executor.shutdown(timeout_sec=_SHUTDOWN_S)


def _autostart(node: ManagedNode, executor: SingleThreadedExecutor, stop: StopSignal) -> bool:
    """Configure and activate as a lifecycle manager would; returns whether the process goes on."""
    if not node.transition(node.trigger_configure):
        return False
    discovery_s = float(node.get_parameter("discovery_s").value)
    settle(lambda timeout_s: node.spin_once(executor, timeout_s), node.created_s, stop.is_set, discovery_s)
    end_s = time.monotonic() + node.autostart_timeout_s
    while not stop.is_set():
        if node.transition(node.trigger_activate):
            node.get_logger().info("active")
            return True
        if time.monotonic() >= end_s:
            node.get_logger().error(f"giving up: {node.transition_problem}")
            return False
        node.spin_once(executor, _SPIN_S)
    return True


def _end(node: ManagedNode, executor: SingleThreadedExecutor, stop: StopSignal) -> None:
    """Bring the node's motion to an end and let its clients have their results."""
    node.get_logger().info(f"{stop.name}: shutting down")
    node.begin_shutdown(stop.name)
    end_s = time.monotonic() + node.shutdown_timeout_s
    while node.busy and time.monotonic() < end_s:
        node.spin_once(executor, _SPIN_S)
    end_s = time.monotonic() + _FLUSH_S
    while (left_s := end_s - time.monotonic()) > 0:
        node.spin_once(executor, min(left_s, _SPIN_S))
