"""The client of ``move_group``: one method for each request that a placement makes."""

from __future__ import annotations

from typing import Any

import numpy as np
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import MoveItErrorCodes, PlanningScene
from moveit_msgs.srv import ApplyPlanningScene, GetCartesianPath, GetPositionIK
from numpy.typing import ArrayLike
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.node import Node

from refinery.errors import NotReadyError
from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery_sampler_node.moveit.error_codes import MoveItError, check_code
from refinery_sampler_node.moveit.messages import MotionSettings, inverse_request, line_request, plan_goal
from refinery_sampler_node.moveit.trajectory import (
    Motion,
    check_line,
    message_from_motion,
    motion_from_message,
    within_limits,
)
from refinery_sampler_node.moveit.waiting import RunningGoal, Tick, until

_WHOLE = 1.0 - 1e-6
"""A straight line of which less than this share can be followed is refused."""


class MoveItClient:
    """Requests scenes, joints, plans, straight lines and their execution from ``move_group``.

    Methods that wait await ``tick``; when that raises, their goals are cancelled.

    Args:
        node: Gets the clients of actions and services.
        profile: Names, frames and limits.
        kinematics: Kinematics of the arm, with which answers are checked.
        settings: How fast and how finely motions are planned.
        answer_s: Longest wait for an answer beyond the time allowed for planning, wall clock, [s].
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        kinematics: ArmKinematics,
        *,
        settings: MotionSettings,
        answer_s: float = 5.0,
    ) -> None:
        spec = profile.moveit
        self._node, self._profile, self._kinematics, self._settings = node, profile, kinematics, settings
        self._answer_s = answer_s
        self._scene: Client = node.create_client(ApplyPlanningScene, spec.apply_planning_scene)
        self._inverse: Client = node.create_client(GetPositionIK, spec.compute_ik)
        self._line: Client = node.create_client(GetCartesianPath, spec.compute_cartesian_path)
        self._plan = ActionClient(node, MoveGroup, spec.move_action)
        self._execute = ActionClient(node, ExecuteTrajectory, spec.execute_trajectory)
        self._ready = {
            f"service {spec.apply_planning_scene}": self._scene.service_is_ready,
            f"service {spec.compute_ik}": self._inverse.service_is_ready,
            f"service {spec.compute_cartesian_path}": self._line.service_is_ready,
            f"action {spec.move_action}": self._plan.server_is_ready,
            f"action {spec.execute_trajectory}": self._execute.server_is_ready,
        }

    def destroy(self) -> None:
        """End all connections."""
        for client in (self._scene, self._inverse, self._line):
            self._node.destroy_client(client)
        self._plan.destroy()
        self._execute.destroy()

    def missing(self) -> list[str]:
        """Return the actions and services that are not available, by kind and name."""
        return [name for name, ready in self._ready.items() if not ready()]

    def check_ready(self) -> None:
        """Check that all actions and services are available.

        Raises:
            NotReadyError: The message names what is missing.
        """
        missing = self.missing()
        if missing:
            raise NotReadyError(
                f"MoveIt is not ready: no {', no '.join(missing)}; is move_group running, in the node's namespace?"
            )

    @property
    def executing_possible(self) -> bool:
        """Whether the server of ``execute_trajectory`` is (still) available."""
        return bool(self._execute.server_is_ready())

    async def apply(self, scene: PlanningScene, tick: Tick) -> None:
        """Change the planning scene.

        Raises:
            NotReadyError: MoveIt refused it, or did not answer.
        """
        answer = await self._call(self._scene, ApplyPlanningScene.Request(scene=scene), tick)
        if not answer.success:
            tip, links = self._profile.moveit.tip_link, ", ".join(self._profile.moveit.touch_links)
            raise NotReadyError(
                f"{self._scene.srv_name}: move_group refused the planning scene; does it know the frame "
                f"{self._profile.base_frame!r} and the links {tip}, {links}? Its log says more"
            )

    async def inverse(self, tool: Poses, seed_rad: ArrayLike, tick: Tick, *, what: str) -> Array:
        """Solve the inverse kinematics: collision-free joints (7,) [rad] for a tool pose (base frame, batch of one).

        Raises:
            MoveItError: There is no solution.
            NotReadyError: No answer.
        """
        request = inverse_request(self._profile, tool=tool, seed_rad=seed_rad)
        answer = await self._call(self._inverse, request, tick)
        check_code(answer.error_code, what)
        state = answer.solution.joint_state
        angles = dict(zip(state.name, state.position, strict=False))
        try:
            joints = np.array([angles[name] for name in self._profile.joint_names], dtype=np.float64)
        except KeyError as missing:
            raise _invalid_state(what, f"the solution lacks the joint {missing}") from None
        if not np.isfinite(joints).all():
            raise _invalid_state(what, f"expected finite joints, got {joints}")
        return joints

    async def plan(self, start_rad: ArrayLike, goal_rad: ArrayLike, tick: Tick, *, what: str) -> Motion:
        """Plan a motion between joints, shape (7,) each, [rad], around everything in the planning scene.

        Raises:
            MoveItError: There is none, or the plan is not valid.
            NotReadyError: No answer.
        """
        goal = plan_goal(self._profile, self._settings, start_rad=start_rad, goal_rad=goal_rad)
        running = RunningGoal(self._plan, goal, self._profile.moveit.move_action)
        try:
            await self._answered(running, tick)
            timeout_s = self._profile.moveit.allowed_planning_time_s + self._answer_s
            await until(
                lambda: running.done,
                tick,
                timeout_s=timeout_s,
                missing=lambda: f"{running.name}: no result within {timeout_s:g} s; is move_group still running?",
            )
        finally:
            running.cancel()
        result = running.result()
        check_code(result.error_code, what)
        return self._checked(result.planned_trajectory, start_rad, self._settings.tool_speed_m_s, what)

    async def line(self, start_rad: ArrayLike, tool: Poses, tick: Tick, *, what: str) -> Motion:
        """Plan a straight line of the tool from joints (7,) [rad] to a pose in the base frame, batch of one.

        Raises:
            MoveItError: It cannot be followed to its end, or the plan is not straight or not valid.
            NotReadyError: No answer.
        """
        request = line_request(self._profile, self._settings, start_rad=start_rad, tool=tool)
        answer = await self._call(self._line, request, tick)
        # For MoveIt a partial line is no error; some versions add a code, some do not.
        if answer.fraction < _WHOLE:
            problem = f"only {100 * answer.fraction:.0f} % of the straight line can be followed"
            detail = "; ".join(part for part in (problem, answer.error_code.message) if part)
            code = answer.error_code.val
            raise MoveItError(code if code < 0 else MoveItErrorCodes.PLANNING_FAILED, what, detail)
        check_code(answer.error_code, what)
        # Planned faster and then slowed down as a whole, which divides accelerations by the square: the controller
        # overshoots the end by as much as it lags. A limit of the speed alone would leave the stop as hard.
        speed = min(self._settings.approach_speed_m_s, self._settings.tool_speed_m_s)
        motion = self._checked(answer.solution, start_rad, speed, what)
        check_line(motion, self._kinematics, tool, what)
        return motion

    def execute(self, motion: Motion) -> RunningGoal:
        """Start to execute a motion; :meth:`RunningGoal.cancel` brings the arm to rest."""
        goal = ExecuteTrajectory.Goal(trajectory=message_from_motion(motion, self._profile.joint_names))
        return RunningGoal(self._execute, goal, self._profile.moveit.execute_trajectory)

    async def _answered(self, running: RunningGoal, tick: Tick) -> None:
        await until(
            lambda: running.answered,
            tick,
            timeout_s=self._answer_s,
            missing=lambda: self._silence(running.name),
        )
        if not running.accepted:
            raise NotReadyError(f"{running.name}: move_group rejected the goal; its log says why")

    async def _call(self, client: Client, request: Any, tick: Tick) -> Any:
        future = client.call_async(request)
        try:
            await until(
                lambda: bool(future.done()),
                tick,
                timeout_s=self._answer_s,
                missing=lambda: (
                    f"{client.srv_name}: no answer within {self._answer_s:g} s; is move_group still running?"
                ),
            )
        finally:
            if not future.done():
                client.remove_pending_request(future)
        return future.result()

    def _silence(self, name: str) -> str:
        return f"{name}: no answer within {self._answer_s:g} s; is move_group still running?"

    def _checked(self, message: Any, start_rad: ArrayLike, tool_speed_m_s: float, what: str) -> Motion:
        motion = motion_from_message(
            message,
            joint_names=self._profile.joint_names,
            start_rad=start_rad,
            kinematics=self._kinematics,
            what=what,
        )
        return within_limits(
            motion,
            kinematics=self._kinematics,
            velocity_rad_s=self._profile.planned_velocity_rad_s,
            tool_speed_m_s=tool_speed_m_s,
        )


def _invalid_state(what: str, detail: str) -> MoveItError:
    return MoveItError(MoveItErrorCodes.INVALID_ROBOT_STATE, what, detail)
