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
from refinery_twin.move_group.desk import Desk
from refinery_twin.move_group.execution import Execution
from refinery_twin.move_group.planning_requests import read_request, start_of
from refinery_twin.move_group.replies import failure, robot_state, success, trajectory
from refinery_twin.move_group.turns import Turn, Turns
from refinery_twin.planning import ErrorCode, Planner, TimedPath

PLANNING, MONITOR = "PLANNING", "MONITOR"
"""States of the feedback; MoveIt's LOOK does not occur, nothing looks around here."""
_MET = "the goal constraints are satisfied already: nothing to plan or to execute"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What became of a request."""

    start_rad: Array
    """Where the motion begins, shape (7,), [rad]."""
    path: TimedPath | None
    """The motion; none if the arm is there already."""
    duration_s: float
    """How long planning took, [s]."""


class MoveAction:
    """Serves the action.

    A goal that executes takes the place of any other that does, once it has been read without a complaint. It is
    planned from where the arm is, as in MoveIt, whatever its start state says.

    Args:
        node: Gets the server.
        profile: Names.
        desk: Plans.
        arm: Where the arm is.
        execution: Moves the arm.
        turns: Whose motion it is.
        group: Of the server.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        desk: Desk,
        arm: ArmState,
        execution: Execution,
        turns: Turns,
        group: CallbackGroup,
    ) -> None:
        self._node, self._profile, self._desk = node, profile, desk
        self._arm, self._execution, self._turns = arm, execution, turns
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
        with Turn(handle) as turn:
            try:
                handle.publish_feedback(MoveGroup.Feedback(state=PLANNING))
                only_plan = handle.request.planning_options.plan_only
                note = await (self._plan if only_plan else self._plan_and_execute)(handle, turn, result)
                result.error_code = success(note)
            # The client must get a result whatever happens.
            except Exception as error:
                result.error_code = failure(error)
        return finish(self._node, handle, result)

    async def _plan(self, handle: ServerGoalHandle, turn: Turn, result: MoveGroup.Result) -> str:
        goal = handle.request
        joints = await self._arm.fresh()
        planned = await self._planned(goal, goal.request.start_state, joints, turn, allow_met=False)
        self._fill(result, planned)
        return ""

    async def _plan_and_execute(self, handle: ServerGoalHandle, turn: Turn, result: MoveGroup.Result) -> str:
        goal, here = handle.request, RobotState(is_diff=True)
        difference = goal.planning_options.planning_scene_diff
        joints = await self._arm.fresh()
        # What makes no sense is refused before it stops somebody else's motion.
        await self._desk.do_in(
            difference,
            here,
            joints,
            lambda planner: read_request(planner, goal.request, here, joints),
            lambda: turn.problem,
        )
        await self._turns.take(turn)
        joints = await self._arm.at_rest()
        planned = await self._planned(goal, here, joints, turn, allow_met=not _changes_scene(difference))
        self._fill(result, planned)
        if planned.path is None:
            return _MET
        turn.check()
        handle.publish_feedback(MoveGroup.Feedback(state=MONITOR))
        message = result.planned_trajectory
        await self._execution.run(
            message,
            turn,
            self._desk.blocked(message.joint_trajectory, difference),
            self._desk.changes(),
            result.executed_trajectory.joint_trajectory,
        )
        return ""

    async def _planned(
        self, goal: MoveGroup.Goal, start: RobotState, joints: Array, turn: Turn, *, allow_met: bool
    ) -> Planned:
        difference = goal.planning_options.planning_scene_diff

        def plan(planner: Planner) -> Planned:
            return plan_request(planner, goal.request, start, joints, self._desk.seed, allow_met=allow_met)

        begin = await self._desk.do(lambda planner: start_of(planner, start, joints), lambda: turn.problem)
        return await self._desk.do_in(difference, start, begin, plan, lambda: turn.problem)

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
        asked: As received; its own start state is not looked at.
        start: Where the motion begins.
        joints_rad: Where the arm is, shape (7,), [rad].
        seed: Of all that is random.
        allow_met: Plan nothing if the arm is where it should be.

    Raises:
        PlanningError: Why there is no plan.
    """
    begun_s = time.monotonic()
    request = read_request(planner, asked, start, joints_rad)
    met = allow_met and request.met(planner, request.start_rad)
    path = None if met else request.planned(planner, seed)
    return Planned(start_rad=request.start_rad, path=path, duration_s=time.monotonic() - begun_s)


def finish(node: Node, handle: ServerGoalHandle, result: object) -> object:
    """Put a goal into its last state, by its result's error code, and say so in the log."""
    code = result.error_code  # type: ignore[attr-defined]
    if code.val == ErrorCode.SUCCESS:
        handle.succeed()
        return result
    node.get_logger().warning(f"{ErrorCode(code.val).name}: {code.message}")
    if handle.is_cancel_requested:
        handle.canceled()
    else:
        handle.abort()
    return result


def _changes_scene(difference: PlanningScene) -> bool:
    return bool(difference.world.collision_objects or difference.robot_state.attached_collision_objects)
