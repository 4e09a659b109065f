"""The action ``execute_trajectory``: moves the arm along a planned trajectory."""

from __future__ import annotations

from moveit_msgs.action import ExecuteTrajectory
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from refinery.robot_profile import RobotProfile
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.goal_arbiter import ArmGoal, GoalArbiter
from refinery_twin.move_group.move_action import MONITOR, finish
from refinery_twin.move_group.planning_executor import PlanningExecutor
from refinery_twin.move_group.replies import failure, success
from refinery_twin.planning import MoveItErrorCode, PlanningError


class ExecuteAction:
    """Serves the action; a goal replaces any other that moves the arm.

    Args:
        node: Gets the server.
        profile: Names.
        executor: Checks for collisions.
        execution: Moves the arm.
        arbiter: Arbitrates between goals.
        group: Callback group of the server.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        executor: PlanningExecutor,
        execution: Execution,
        arbiter: GoalArbiter,
        group: CallbackGroup,
    ) -> None:
        self._node, self._profile, self._executor = node, profile, executor
        self._execution, self._arbiter = execution, arbiter
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
        with ArmGoal(handle) as arm_goal:
            try:
                await self._run(handle, arm_goal)
                result.error_code = success()
            # The client must get a result whatever happens.
            except Exception as error:
                result.error_code = failure(error)
        return finish(self._node, handle, result)

    async def _run(self, handle: ServerGoalHandle, arm_goal: ArmGoal) -> None:
        controller, asked = self._profile.controllers.trajectory, list(handle.request.controller_names)
        if asked not in ([], [controller]):
            raise PlanningError(
                MoveItErrorCode.CONTROL_FAILED,
                f"controller_names: expected none or {controller}, got {', '.join(asked)}",
            )
        await self._arbiter.take(arm_goal)
        handle.publish_feedback(ExecuteTrajectory.Feedback(state=MONITOR))
        message = handle.request.trajectory
        await self._execution.run(
            message, arm_goal, self._executor.blocked(message.joint_trajectory), self._executor.changes()
        )
