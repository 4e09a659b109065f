"""The ROS shell of ``move_group``: actions and services around one planner and one arm."""

from __future__ import annotations

import sys
import threading

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

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


class MoveGroupNode(Node):
    """MoveIt's names, served for the twin. Not lifecycle-managed: a real ``move_group`` is not either."""

    def __init__(self) -> None:
        super().__init__("move_group")
        parameters, profile = declare_parameters(self)
        # Coroutines of one thread: they give way to each other only where they wait.
        group = ReentrantCallbackGroup()
        waiter = Waiter(self, group)
        self._worker = Worker(self)
        desk = Desk(Planner(profile), self._worker, waiter, parameters.seed)
        arm = ArmState(self, profile, waiter, group)
        execution, turns = Execution(self, profile, arm, waiter, group), Turns(waiter)
        self._answers = Services(self, profile, desk, arm, group)
        self._move = MoveAction(self, profile, desk, arm, execution, turns, group)
        self._execute = ExecuteAction(self, profile, desk, execution, turns, group)

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
    node.get_logger().info("You can start planning now!")
    while not stop.is_set():
        executor.spin_once(timeout_sec=_SPIN_S)
    executor.shutdown()


if __name__ == "__main__":
    sys.exit(main())
