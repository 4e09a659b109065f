"""The action ``<trajectory controller>/follow_joint_trajectory``, as ros2_controllers' own controller serves it.

A goal that fails that controller's own checks is rejected here too, with the reason in the log only: a rejected goal
has no result. Checks of the twin alone (limits, a start elsewhere) end an accepted goal with INVALID_GOAL and a
sentence. One difference is due to rclpy: a goal that is replaced, or whose controller is deactivated, is aborted, with
the code and the sentence of the real controller.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from control_msgs.action import FollowJointTrajectory
from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from trajectory_msgs.msg import JointTrajectoryPoint

from refinery.errors import RefineryError
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_ros.conversions import duration_message
from refinery_sim.plant import Mode
from refinery_sim.trajectory import JointLimits
from refinery_twin.cell import Cell
from refinery_twin.follow_goal import FollowGoalError, check_goal, tolerances_of
from refinery_twin.following import FollowEnd, Following, Progress, Tolerances
from refinery_twin.inputs import trajectory_from
from refinery_twin.outputs import Outputs

FEEDBACK_PERIOD_S = 0.05
"""Simulated time between two feedbacks, [s] (the real controller's ``action_monitor_rate`` is 20 Hz)."""
_RESULT = FollowJointTrajectory.Result
_CODES = {
    FollowEnd.REACHED: _RESULT.SUCCESSFUL,
    FollowEnd.LEFT_PATH: _RESULT.PATH_TOLERANCE_VIOLATED,
    FollowEnd.MISSED_GOAL: _RESULT.GOAL_TOLERANCE_VIOLATED,
}


@dataclass(kw_only=True)
class _Job:
    """The goal that is being followed."""

    handle: ServerGoalHandle
    following: Following
    command: int
    """The plant's count of commands when it began; another count means that the arm does something else."""
    feedback_s: float
    """Simulated time of the next feedback, [s]."""


class FollowServer:
    """Serves the action; the physics' loop calls :meth:`update` after every state.

    Args:
        node: Gets the server.
        profile: Names of action and joints.
        cell: The cell.
        limits: Joint limits.
        outputs: Has the time stamp of the present state.
        lock: Held while the cell is changed or read; the loop holds it when it calls :meth:`update`.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        cell: Cell,
        limits: JointLimits,
        outputs: Outputs,
        lock: threading.Lock,
    ) -> None:
        self._node, self._profile, self._cell, self._limits = node, profile, cell, limits
        self._outputs, self._lock = outputs, lock
        self._job: _Job | None = None
        self._endings: dict[bytes, Future] = {}
        self._server = ActionServer(
            node,
            FollowJointTrajectory,
            profile.follow_joint_trajectory,
            self._execute,
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )

    def update(self) -> None:
        """Evaluate the present state and publish feedback; the lock is held."""
        job, plant = self._job, self._cell.plant
        if job is None:
            return
        if plant.commands != job.command:
            self._end(_RESULT.INVALID_GOAL, self._interruption())
            return
        progress = job.following.progress(plant.time_s, plant.joints_rad, plant.joint_velocities_rad_s)
        if plant.time_s >= job.feedback_s or progress.end is not None:
            job.feedback_s = plant.time_s + FEEDBACK_PERIOD_S
            job.handle.publish_feedback(self._feedback(progress))
        if progress.end is None:
            return
        if progress.end is not FollowEnd.REACHED:
            plant.stop_trajectory()
        self._end(_CODES[progress.end], progress.reason)

    def _on_goal(self, goal: FollowJointTrajectory.Goal) -> GoalResponse:
        with self._lock:
            problem = self._refusal(goal)
        if problem is None:
            return GoalResponse.ACCEPT
        self._node.get_logger().error(f"{self._profile.follow_joint_trajectory}: goal rejected: {problem}")
        return GoalResponse.REJECT

    def _refusal(self, goal: FollowJointTrajectory.Goal) -> str | None:
        if self._cell.standstill is not None:
            return self._cell.standstill
        if self._cell.plant.mode is not Mode.TRAJECTORY:
            return f"{self._profile.controllers.trajectory} is not active; switch controllers first"
        try:
            check_goal(goal, self._profile.joint_names, self._cell.plant.time_s)
        except FollowGoalError as error:
            return str(error)
        return None

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        ending = self._endings[bytes(handle.goal_id.uuid)] = Future(executor=self._node.executor)
        # Any callback makes the executor wake up when the loop's thread sets the result.
        ending.add_done_callback(lambda _: None)
        with self._lock:
            if self._job is not None:
                self._end(_RESULT.INVALID_GOAL, "Current goal cancelled due to new incoming action.")
            try:
                self._start(handle)
            except RefineryError as error:
                self._node.get_logger().error(f"{self._profile.follow_joint_trajectory}: goal aborted: {error}")
                # The real controller has replaced the previous goal by now.
                self._cell.plant.stop_trajectory()
                ending.set_result((_RESULT.INVALID_GOAL, str(error)))
        handle.execute()

    def _start(self, handle: ServerGoalHandle) -> None:
        plant, names, goal = self._cell.plant, self._profile.joint_names, handle.request
        trajectory = trajectory_from(
            goal.trajectory, names, now_s=plant.time_s, start_rad=plant.joints_rad, limits=self._limits
        )
        try:
            tolerances = tolerances_of(goal, names)
        except RefineryError as error:
            self._node.get_logger().error(f"{error}; the controller's own tolerances apply")
            tolerances = Tolerances()
        self._cell.follow(trajectory)
        following = Following(trajectory, plant.time_s, tolerances)
        self._job = _Job(handle=handle, following=following, command=plant.commands, feedback_s=plant.time_s)

    def _on_cancel(self, handle: ServerGoalHandle) -> CancelResponse:
        with self._lock:
            if self._job is not None and self._job.handle == handle:
                self._cell.plant.stop_trajectory()
                self._end(_RESULT.SUCCESSFUL, "cancelled by the client: the arm holds where it is")
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> FollowJointTrajectory.Result:
        key = bytes(handle.goal_id.uuid)
        code, sentence = await self._endings[key]
        del self._endings[key]
        if handle.is_cancel_requested:
            handle.canceled()
        elif code == _RESULT.SUCCESSFUL:
            handle.succeed()
        else:
            handle.abort()
        return _RESULT(error_code=code, error_string=sentence)

    def _end(self, code: int, sentence: str) -> None:
        job, self._job = self._job, None
        assert job is not None
        if code != _RESULT.SUCCESSFUL:
            self._node.get_logger().warning(f"{self._profile.follow_joint_trajectory}: {sentence}")
        self._endings[bytes(job.handle.goal_id.uuid)].set_result((code, sentence))

    def _interruption(self) -> str:
        """Return why the arm no longer follows this goal."""
        if self._cell.plant.mode is not Mode.TRAJECTORY:
            return "Current goal cancelled during deactivate transition."
        return f"a message on {self._profile.trajectory_topic} or a new trial has replaced this goal"

    def _feedback(self, progress: Progress) -> FollowJointTrajectory.Feedback:
        plant = self._cell.plant
        joints, speeds = plant.joints_rad, plant.joint_velocities_rad_s
        message = FollowJointTrajectory.Feedback(joint_names=list(self._profile.joint_names))
        message.header.stamp = self._outputs.messages.stamp
        message.desired = _point(progress.elapsed_s, progress.desired_rad, progress.desired_rad_s)
        message.actual = _point(progress.elapsed_s, joints, speeds)
        message.error = _point(progress.elapsed_s, progress.desired_rad - joints, progress.desired_rad_s - speeds)
        return message


def _point(time_s: float, positions_rad: Array, velocities_rad_s: Array) -> JointTrajectoryPoint:
    return JointTrajectoryPoint(
        positions=positions_rad.tolist(), velocities=velocities_rad_s.tolist(), time_from_start=duration_message(time_s)
    )
