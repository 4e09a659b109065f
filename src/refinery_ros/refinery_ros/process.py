"""One process for one node: ROS start-up, signals, exit status."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import TypeVar

import rclpy
from rclpy.exceptions import ParameterException
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from refinery.bringup.ros_start import init_ros
from refinery.errors import RefineryError

N = TypeVar("N", bound=Node)


class StopSignal(threading.Event):
    """Set by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        super().__init__()
        self.name = ""
        """Name of the first signal received."""

    def install(self) -> None:
        """Handle both signals from now on."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.name = self.name or signal.Signals(number).name
        self.set()


def run_node_process(
    name: str, make: Callable[[], N], run: Callable[[N, StopSignal], int], args: Sequence[str] | None = None
) -> int:
    """Make a node and run it until SIGINT or SIGTERM.

    Args:
        name: Name of the program, for errors.
        make: Returns the node.
        run: Runs it until the signal is set, and returns the exit status.
        args: Command line; the process's if None.

    Returns:
        The exit status of ``run``; 1 after a :class:`RefineryError` or a bad parameter, which is one line on stderr.
    """
    stop = StopSignal()
    stop.install()
    node = None
    try:
        # Own handlers: rclpy's would end the context first, and then a moving arm could not be stopped.
        init_ros(args=args, signal_handler_options=SignalHandlerOptions.NO)
        node = make()
        return run(node, stop)
    except (RefineryError, ParameterException) as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
