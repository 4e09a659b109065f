"""What the servers of a cell say of the goals they got, heard by a node that sends none."""

from __future__ import annotations

import uuid
from collections import defaultdict

from action_msgs.msg import GoalStatus, GoalStatusArray
from rclpy.node import Node
from rclpy.qos import qos_profile_action_status_default

from refinery.robot_profile import RobotProfile


class Witness:
    """Keeps every goal that any server of the cell's actions has had.

    Phases are those of the journal: ``release`` stands for every opening, ``place`` for every motion.

    Args:
        node: Gets the subscriptions.
        profile: Names of the gripper's actions.
    """

    def __init__(self, node: Node, profile: RobotProfile) -> None:
        actions = {
            "grasp": profile.gripper_grasp,
            "release": profile.gripper_move,
            "place": "place",
            "insert": "insert",
        }
        self.seen: dict[str, set[uuid.UUID]] = defaultdict(set)
        """All goals, by phase."""
        self.succeeded: dict[str, set[uuid.UUID]] = defaultdict(set)
        """Those that ended with success, by phase."""
        for phase, name in actions.items():

            def note(message: GoalStatusArray, phase: str = phase) -> None:
                self._note(phase, message)

            node.create_subscription(GoalStatusArray, f"{name}/_action/status", note, qos_profile_action_status_default)

    def _note(self, phase: str, message: GoalStatusArray) -> None:
        for status in message.status_list:
            goal = uuid.UUID(bytes=bytes(status.goal_info.goal_id.uuid))
            self.seen[phase].add(goal)
            if status.status == GoalStatus.STATUS_SUCCEEDED:
                self.succeeded[phase].add(goal)
