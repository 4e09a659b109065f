"""The ROS shell of ``move_group``: actions and services around one planner and one arm."""

from __future__ import annotations

import math
import sys
import threading
import time

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from refinery.bringup.graph import find_rival
from refinery.errors import NotReadyError
from refinery_twin.move_group.arm_state import ArmState
from refinery_twin.move_group.desk import Desk
from refinery_twin.move_group.execute_action import ExecuteAction
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.move_action import MoveAction
from refinery_twin.move_group.parameters import declare_parameters
from refinery_twin.move_group.services import Services
from refinery_twin.move_group.turns import Turns
from refinery_twin.move_group.waiting import Waiter, Worker
from refinery_twin.planning import Planner
from refinery_twin.running import run_node

_SPIN_S = 0.2
_LOOK_S = 0.5
"""So long after its start the node looks for another one of its name."""


class MoveGroupNode(Node):
    """MoveIt's names, served for the twin. Not lifecycle-managed: a real ``move_group`` is not either.

    Nothing is served before :meth:`open`.
    """

    def __init__(self) -> None:
        super().__init__("move_group")
        parameters, profile = declare_parameters(self)
        # Coroutines of one thread: they give way to each other only where they wait.
        group = ReentrantCallbackGroup()
        waiter = Waiter(self, group)
        self._worker = Worker(self)
        desk = Desk(Planner(profile), self._worker, waiter, parameters.seed)
        self.arm = arm = ArmState(self, profile, waiter, group)

        def serve() -> list[object]:
            execution, turns = Execution(self, profile, arm, waiter, group), Turns(waiter)
            return [
                Services(self, profile, desk, arm, group),
                MoveAction(self, profile, desk, arm, execution, turns, group),
                ExecuteAction(self, profile, desk, execution, turns, group),
            ]

        self._serve = serve
        self._servers: list[object] = []

    def open(self) -> None:
        """Serve from now on."""
        self._servers = self._serve()
        self.get_logger().info("You can start planning now!")

    def destroy_node(self) -> None:
        """End the planning thread, and the node."""
        self._worker.close()
        super().destroy_node()


def main() -> int:
    """Run move_group until SIGINT or SIGTERM; returns the exit status."""
    return run_node("move_group", MoveGroupNode, _run)


def _run(node: MoveGroupNode, stop: threading.Event) -> None:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.get_logger().info(f"waiting for the first joint state on {node.arm.topic}")
    opened, settled_s = False, time.monotonic() + _LOOK_S
    while not stop.is_set():
        executor.spin_once(timeout_sec=_SPIN_S)
        # Who finds a server may ask at once, and would be told that no state has come.
        if opened or node.arm.age_s == math.inf:
            continue
        if rival := find_rival(node, until_s=settled_s):
            raise NotReadyError(rival)
        node.open()
        opened = True
    executor.shutdown()


if __name__ == "__main__":
    sys.exit(main())
