"""The action ``move_action``: plan a motion and, unless asked only to plan, execute it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from moveit_msgs.action import MoveGroup
from moveit_msgs.msg import MotionPlanRequest, PlanningScene, RobotState
from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_twin.move_group.arm_state import ArmState
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.goal_arbiter import ArmGoal, GoalArbiter
from refinery_twin.move_group.planning_executor import PlanningExecutor
from refinery_twin.move_group.planning_requests import read_request, start_of
from refinery_twin.move_group.replies import failure, robot_state, success, trajectory
from refinery_twin.planning import MoveItErrorCode, Planner, TimedPath

PLANNING, MONITOR = "PLANNING", "MONITOR"
"""States of the feedback; MoveIt's LOOK does not occur."""
_MET = "the goal constraints are satisfied already: nothing to plan or to execute"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A planned motion."""

    start_rad: Array
    """Where the motion begins, shape (7,), [rad]."""
    path: TimedPath | None
    """The motion; None if the goal is met already."""
    duration_s: float
    """Duration of planning, [s]."""


class MoveAction:
    """Serves the action.

    A goal that is executed replaces any other such goal once it has been checked. It is planned from the present
    joints, as in MoveIt, whatever its start state is.

    Args:
        node: Gets the server.
        profile: Names.
        executor: Plans.
        arm: Joints of the arm.
        execution: Moves the arm.
        arbiter: Arbitrates between goals.
        group: Callback group of the server.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        executor: PlanningExecutor,
        arm: ArmState,
        execution: Execution,
        arbiter: GoalArbiter,
        group: CallbackGroup,
    ) -> None:
        self._node, self._profile, self._executor = node, profile, executor
        self._arm, self._execution, self._arbiter = arm, execution, arbiter
        self._server = ActionServer(
            node,
            MoveGroup,
            profile.moveit.move_action,
            self._execute,
            callback_group=group,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    async def _execute(self, handle: ServerGoalHandle) -> MoveGroup.Result:
        result = MoveGroup.Result()
        with ArmGoal(handle) as arm_goal:
            try:
                handle.publish_feedback(MoveGroup.Feedback(state=PLANNING))
                only_plan = handle.request.planning_options.plan_only
                note = await (self._plan if only_plan else self._plan_and_execute)(handle, arm_goal, result)
                result.error_code = success(note)
            # The client must get a result whatever happens.
            except Exception as error:
                result.error_code = failure(error)
        return finish(self._node, handle, result)

    async def _plan(self, handle: ServerGoalHandle, arm_goal: ArmGoal, result: MoveGroup.Result) -> str:
        goal = handle.request
        joints = await self._arm.fresh()
        planned = await self._planned(goal, goal.request.start_state, joints, arm_goal, allow_met=False)
        self._fill(result, planned)
        return ""

    async def _plan_and_execute(self, handle: ServerGoalHandle, arm_goal: ArmGoal, result: MoveGroup.Result) -> str:
        goal, here = handle.request, RobotState(is_diff=True)
        difference = goal.planning_options.planning_scene_diff
        joints = await self._arm.fresh()
        # An invalid request is refused before it stops another client's motion.
        await self._executor.do_in(
            difference,
            here,
            joints,
            lambda planner: read_request(planner, goal.request, here, joints),
            lambda: arm_goal.problem,
        )
        await self._arbiter.take(arm_goal)
        joints = await self._arm.at_rest()
        planned = await self._planned(goal, here, joints, arm_goal, allow_met=not _changes_scene(difference))
        self._fill(result, planned)
        if planned.path is None:
            return _MET
        arm_goal.check()
        handle.publish_feedback(MoveGroup.Feedback(state=MONITOR))
        message = result.planned_trajectory
        await self._execution.run(
            message,
            arm_goal,
            self._executor.blocked(message.joint_trajectory, difference),
            self._executor.changes(),
            result.executed_trajectory.joint_trajectory,
        )
        return ""

    async def _planned(
        self, goal: MoveGroup.Goal, start: RobotState, joints: Array, arm_goal: ArmGoal, *, allow_met: bool
    ) -> Planned:
        difference = goal.planning_options.planning_scene_diff

        def plan(planner: Planner) -> Planned:
            return plan_request(planner, goal.request, start, joints, self._executor.seed, allow_met=allow_met)

        begin = await self._executor.do(lambda planner: start_of(planner, start, joints), lambda: arm_goal.problem)
        return await self._executor.do_in(difference, start, begin, plan, lambda: arm_goal.problem)

    def _fill(self, result: MoveGroup.Result, planned: Planned) -> None:
        frame = self._profile.moveit.planning_frame
        result.trajectory_start = robot_state(self._profile.joint_names, planned.start_rad, frame)
        result.planning_time = planned.duration_s
        if planned.path is not None:
            result.planned_trajectory = trajectory(planned.path, frame)


def plan_request(
    planner: Planner, asked: MotionPlanRequest, start: RobotState, joints_rad: Array, seed: int, *, allow_met: bool
) -> Planned:
    """Read a request and plan it, in the planning thread and in the scene as it is there.

    Args:
        planner: The planner.
        asked: As received; its own start state is ignored.
        start: Where the motion begins.
        joints_rad: Joints of the arm, shape (7,), [rad].
        seed: Seed of all random numbers.
        allow_met: Plan nothing if the goal is met already.

    Raises:
        PlanningError: Why there is no plan.
    """
    begun_s = time.monotonic()
    request = read_request(planner, asked, start, joints_rad)
    met = allow_met and request.met(planner, request.start_rad)
    path = None if met else request.planned(planner, seed)
    return Planned(start_rad=request.start_rad, path=path, duration_s=time.monotonic() - begun_s)


def finish(node: Node, handle: ServerGoalHandle, result: object) -> object:
    """Put a goal into its final state by its result's error code; failures are logged."""
    code = result.error_code  # type: ignore[attr-defined]
    if code.val == MoveItErrorCode.SUCCESS:
        handle.succeed()
        return result
    node.get_logger().warning(f"{MoveItErrorCode(code.val).name}: {code.message}")
    if handle.is_cancel_requested:
        handle.canceled()
    else:
        handle.abort()
    return result


def _changes_scene(difference: PlanningScene) -> bool:
    return bool(difference.world.collision_objects or difference.robot_state.attached_collision_objects)
