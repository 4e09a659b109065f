"""Moving the arm along a trajectory through the trajectory controller's action, as MoveIt's execution manager does.

MoveIt's defaults count: the trajectory begins within 0.01 rad of where the arm is, and it may take 1.1 times its own
time and half a second. Beyond MoveIt, which does so for its own plans only, every trajectory is checked in the present
scene before the arm moves, and its remainder again when the scene changes meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from action_msgs.msg import GoalStatus
from control_msgs.action import FollowJointTrajectory
from moveit_msgs.msg import RobotTrajectory
from rclpy.action import ActionClient
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node
from trajectory_msgs.msg import JointTrajectory

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_ros.conversions import clock_seconds, seconds
from refinery_twin.move_group.arm_state import ArmState
from refinery_twin.move_group.goal_arbiter import ArmGoal, preempted
from refinery_twin.move_group.waiting import Waiter
from refinery_twin.planning import MoveItErrorCode, PlanningError

START_TOLERANCE_RAD = 0.01
"""Largest distance of a trajectory's start from the arm's joints, [rad] (``allowed_start_tolerance``)."""
DURATION_SCALING = 1.1
"""A trajectory may take this multiple of its duration (``allowed_execution_duration_scaling``)."""
DURATION_MARGIN_S = 0.5
"""And this much longer, [s] (``allowed_goal_duration_margin``), by the slower of the cell's and the wall clock: in a
cell at four times real time messages take four times as long."""
LOST_S = 5.0
"""An execution is aborted without a joint state for this long, wall clock, [s]."""
_ANSWER_S = 5.0


class Execution:
    """Executes trajectories, one at a time.

    Args:
        node: Gets the action client; its clock is the cell's.
        profile: Names of action and joints.
        arm: Joints of the arm.
        waiter: For waiting.
        group: Callback group of the action client.
    """

    def __init__(self, node: Node, profile: RobotProfile, arm: ArmState, waiter: Waiter, group: CallbackGroup) -> None:
        self._node, self._profile, self._arm, self._waiter = node, profile, arm, waiter
        self._client = ActionClient(node, FollowJointTrajectory, profile.follow_joint_trajectory, callback_group=group)

    async def run(
        self,
        message: RobotTrajectory,
        arm_goal: ArmGoal,
        blocked: Callable[[float], Any],
        changed: Callable[[], bool],
        executed: JointTrajectory | None = None,
    ) -> None:
        """Move the arm along a trajectory; an empty one is done at once.

        Args:
            message: The trajectory.
            arm_goal: Its goal, which may be cancelled or replaced.
            blocked: Coroutine function: why the trajectory cannot be followed from a time [s] on, or None.
            changed: Returns whether the scene has changed since its last call.
            executed: Gets the measured states, if given.

        Raises:
            PlanningError: CONTROL_FAILED, TIMED_OUT, PREEMPTED, ROBOT_STATE_STALE or
                MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE; the arm holds where it is.
        """
        points = message.joint_trajectory.points
        if message.multi_dof_joint_trajectory.points:
            raise _failed("multi_dof_joint_trajectory: expected none, no controller has such joints")
        if not points:
            return
        self._check_joints(message.joint_trajectory)
        self._check_start(message.joint_trajectory, await self._arm.fresh())
        changed()
        if reason := await blocked(0.0):
            raise _invalidated(reason)
        arm_goal.check()
        handle = await self._sent(message.joint_trajectory, executed)
        result = handle.get_result_async()
        try:
            await self._watch(result, seconds(points[-1].time_from_start), arm_goal, blocked, changed)
        except PlanningError:
            # The arm must hold before anything else is planned.
            handle.cancel_goal_async()
            await self._waiter.until(result.done, _ANSWER_S)
            raise
        self._check_result(result.result())

    async def _watch(
        self,
        result: Any,
        duration_s: float,
        arm_goal: ArmGoal,
        blocked: Callable[[float], Any],
        changed: Callable[[], bool],
    ) -> None:
        """Wait for the result, or for a reason not to."""
        begun_s, begun_wall_s = self._now_s(), time.monotonic()
        allowed_s = DURATION_SCALING * duration_s + DURATION_MARGIN_S

        def late() -> bool:
            return min(self._now_s() - begun_s, time.monotonic() - begun_wall_s) > allowed_s

        def noteworthy() -> bool:
            return bool(
                result.done() or arm_goal.problem is not None or late() or self._arm.age_s > LOST_S or changed()
            )

        while True:
            await self._waiter.until(noteworthy)
            if result.done():
                return
            arm_goal.check()
            elapsed_s = self._now_s() - begun_s
            if late():
                raise PlanningError(
                    MoveItErrorCode.TIMED_OUT,
                    f"expected {self._client_name} to end within {allowed_s:.2f} s, it has not after {elapsed_s:.2f} s",
                )
            if self._arm.age_s > LOST_S:
                # This process itself may have stalled: states that have arrived meanwhile count.
                await self._arm.fresh()
            # Also without a change of the scene: a check is cheap.
            if reason := await blocked(elapsed_s):
                raise _invalidated(reason)

    async def _sent(self, trajectory: JointTrajectory, executed: JointTrajectory | None) -> Any:
        if not await self._waiter.until(self._client.server_is_ready, _ANSWER_S):
            raise _failed(f"no action {self._client_name}; is the cell running?")
        goal = FollowJointTrajectory.Goal(trajectory=trajectory)
        note = None
        if executed is not None:
            executed.joint_names = list(self._profile.joint_names)

            def note(feedback: Any) -> None:
                executed.points.append(feedback.feedback.actual)

        asked = self._client.send_goal_async(goal, feedback_callback=note)
        if not await self._waiter.until(asked.done, _ANSWER_S):
            # The answer no longer matters: the motion is not wanted any more.
            asked.add_done_callback(_cancel_late_goal)
            raise _failed(f"no answer from {self._client_name} for {_ANSWER_S:g} s")
        handle = asked.result()
        if not handle.accepted:
            raise _failed(
                f"{self._client_name} rejected the trajectory; is {self._profile.controllers.trajectory} active? "
                "The controller's log says why"
            )
        return handle

    def _check_joints(self, trajectory: JointTrajectory) -> None:
        names, wanted = trajectory.joint_names, self._profile.joint_names
        if sorted(names) != sorted(wanted):
            raise _failed(f"no controller has the joints {', '.join(names)}; expected {', '.join(wanted)}")
        for point in trajectory.points:
            if len(point.positions) != 7 or not np.isfinite(point.positions).all():
                raise _failed(f"expected 7 finite positions at every point, got {list(point.positions)}")

    def _check_start(self, trajectory: JointTrajectory, joints_rad: Array) -> None:
        away = np.abs(ordered(trajectory, self._profile)[0] - joints_rad)
        worst = int(np.argmax(away))
        if away[worst] > START_TOLERANCE_RAD:
            raise _failed(
                f"the trajectory starts {away[worst]:.4f} rad from the present {self._profile.joint_names[worst]}, "
                f"expected at most {START_TOLERANCE_RAD} rad; plan from the present state"
            )

    def _check_result(self, answer: Any) -> None:
        if answer.status == GoalStatus.STATUS_SUCCEEDED:
            return
        reason = answer.result.error_string
        if answer.status == GoalStatus.STATUS_CANCELED:
            raise preempted(f"{self._client_name} was cancelled by another client: {reason}")
        raise _failed(f"{self._client_name} ended with error_code {answer.result.error_code}: {reason}")

    @property
    def _client_name(self) -> str:
        return self._profile.follow_joint_trajectory

    def _now_s(self) -> float:
        return clock_seconds(self._node)


def ordered(trajectory: JointTrajectory, profile: RobotProfile) -> Array:
    """Return the positions of a trajectory with joints in the profile's order, shape (P, 7), [rad]."""
    order = [trajectory.joint_names.index(name) for name in profile.joint_names]
    return np.array([point.positions for point in trajectory.points])[:, order]


def _cancel_late_goal(asked: Any) -> None:
    """Cancel a goal that was accepted too late."""
    if asked.result().accepted:
        asked.result().cancel_goal_async()


def _failed(reason: str) -> PlanningError:
    return PlanningError(MoveItErrorCode.CONTROL_FAILED, reason)


def _invalidated(reason: str) -> PlanningError:
    return PlanningError(MoveItErrorCode.MOTION_PLAN_INVALIDATED_BY_ENVIRONMENT_CHANGE, reason)
