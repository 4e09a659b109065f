"""Running one node of the twin in a process until a signal says to stop."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from refinery.bringup.ros_start import init_ros
from refinery.errors import RefineryError

N = TypeVar("N", bound=Node)


def run_node(name: str, make: Callable[[], N], run: Callable[[N, threading.Event], None]) -> int:
    """Make a node and run it until SIGINT or SIGTERM.

    Args:
        name: Of the program, for errors.
        make: Returns the node.
        run: Runs it until the event is set, and returns.

    Returns:
        The exit status: 1 after a :class:`RefineryError` or a bad parameter, whose message is one line on stderr.
    """
    stop = threading.Event()

    def request_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, request_stop)
    node = None
    try:
        init_ros(signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        run(node, stop)
        node.get_logger().info("stopped by a signal")
    except (RefineryError, ParameterException) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
