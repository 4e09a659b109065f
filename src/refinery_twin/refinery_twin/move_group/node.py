"""The node ``move_group`` of the twin: actions and services around one planner and one arm."""

from __future__ import annotations

import math
import sys
import time

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from refinery.bringup.graph import find_duplicate
from refinery.errors import NotReadyError
from refinery_ros.process import StopSignal, run_node_process
from refinery_twin.move_group.arm_state import ArmState
from refinery_twin.move_group.execute_action import ExecuteAction
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.goal_arbiter import GoalArbiter
from refinery_twin.move_group.move_action import MoveAction
from refinery_twin.move_group.parameters import declare_parameters
from refinery_twin.move_group.planning_executor import PlanningExecutor
from refinery_twin.move_group.services import Services
from refinery_twin.move_group.waiting import Waiter, Worker
from refinery_twin.planning import Planner

_SPIN_S = 0.2
_LOOK_S = 0.5
"""For this long after its start the node looks for another one of its name, [s]."""


class MoveGroupNode(Node):
    """MoveIt's actions and services for the twin; like a real ``move_group``, it is not lifecycle-managed.

    It serves nothing before :meth:`open`.
    """

    def __init__(self) -> None:
        super().__init__("move_group")
        parameters, profile = declare_parameters(self)
        # Coroutines of one thread: they yield to each other only where they await.
        group = ReentrantCallbackGroup()
        waiter = Waiter(self, group)
        self._worker = Worker(self)
        executor = PlanningExecutor(Planner(profile), self._worker, waiter, parameters.seed)
        self.arm = arm = ArmState(self, profile, waiter)

        def serve() -> list[object]:
            execution, arbiter = Execution(self, profile, arm, waiter, group), GoalArbiter(waiter)
            return [
                Services(self, profile, executor, arm, group),
                MoveAction(self, profile, executor, arm, execution, arbiter, group),
                ExecuteAction(self, profile, executor, execution, arbiter, group),
            ]

        self._serve = serve
        self._servers: list[object] = []

    def open(self) -> None:
        """Start to serve."""
        self._servers = self._serve()
        self.get_logger().info("You can start planning now!")

    def destroy_node(self) -> None:
        """End the planning thread, and the node."""
        self._worker.close()
        super().destroy_node()


def main() -> int:
    """Run move_group until SIGINT or SIGTERM; returns the exit status."""
    return run_node_process("move_group", MoveGroupNode, _run)


def _run(node: MoveGroupNode, stop: StopSignal) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    node.get_logger().info(f"waiting for the first joint state on {node.arm.topic}")
    opened, settled_s = False, time.monotonic() + _LOOK_S
    while not stop.is_set():
        executor.spin_once(timeout_sec=_SPIN_S)
        # A client that discovers a server may call it at once; without a joint state it would be refused.
        if opened or node.arm.age_s == math.inf:
            continue
        duplicate = find_duplicate(node, until_s=settled_s)
        if duplicate is not None:
            raise NotReadyError(duplicate)
        node.open()
        opened = True
    executor.shutdown()
    node.get_logger().info(f"{stop.name}: stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
