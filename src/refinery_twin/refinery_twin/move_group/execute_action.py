"""The action ``execute_trajectory``: move the arm along a trajectory that is already planned."""

from __future__ import annotations

from moveit_msgs.action import ExecuteTrajectory
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from refinery.robot_profile import RobotProfile
from refinery_twin.move_group.desk import Desk
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.move_action import MONITOR, finish
from refinery_twin.move_group.replies import failure, success
from refinery_twin.move_group.turns import Turn, Turns
from refinery_twin.planning import ErrorCode, PlanningError


class ExecuteAction:
    """Serves the action; a goal takes the place of any other that moves the arm.

    Args:
        node: Gets the server.
        profile: Names.
        desk: Looks for collisions.
        execution: Moves the arm.
        turns: Whose motion it is.
        group: Of the server.
    """

    def __init__(
        self, node: Node, profile: RobotProfile, desk: Desk, execution: Execution, turns: Turns, group: CallbackGroup
    ) -> None:
        self._node, self._profile, self._desk = node, profile, desk
        self._execution, self._turns = execution, turns
        self._server = ActionServer(
            node,
            ExecuteTrajectory,
            profile.moveit.execute_trajectory,
            self._execute,
            callback_group=group,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    async def _execute(self, handle: ServerGoalHandle) -> ExecuteTrajectory.Result:
        result = ExecuteTrajectory.Result()
        with Turn(handle) as turn:
            try:
                await self._run(handle, turn)
                result.error_code = success()
            # The client must get a result whatever happens.
            except Exception as error:
                result.error_code = failure(error)
        return finish(self._node, handle, result)

    async def _run(self, handle: ServerGoalHandle, turn: Turn) -> None:
        controller, asked = self._profile.controllers.trajectory, list(handle.request.controller_names)
        if asked not in ([], [controller]):
            raise PlanningError(
                ErrorCode.CONTROL_FAILED, f"controller_names: expected none or {controller}, got {', '.join(asked)}"
            )
        await self._turns.take(turn)
        handle.publish_feedback(ExecuteTrajectory.Feedback(state=MONITOR))
        message = handle.request.trajectory
        await self._execution.run(message, turn, self._desk.blocked(message.joint_trajectory), self._desk.changes())
