"""The services of ``move_group``: inverse kinematics, straight lines, plans, and the planning scene."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
from moveit_msgs.msg import PlanningScene
from moveit_msgs.srv import (
    ApplyPlanningScene,
    GetCartesianPath,
    GetMotionPlan,
    GetPlanningScene,
    GetPositionIK,
)
from rclpy.callback_groups import CallbackGroup
from rclpy.node import Node

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery_ros.conversions import pose_from_message, seconds
from refinery_twin.move_group.arm_state import ArmState
from refinery_twin.move_group.move_action import Planned, plan_request
from refinery_twin.move_group.planning_executor import PlanningExecutor
from refinery_twin.move_group.planning_requests import (
    check_group,
    check_unconstrained,
    constrained,
    scaling,
    start_of,
    tool_speed,
)
from refinery_twin.move_group.replies import as_refusal, failure, robot_state, success, trajectory
from refinery_twin.move_group.scene_reply import scene_message
from refinery_twin.planning import MoveItErrorCode, Planner, PlanningError, StraightPath

_IK_S = 1.0
"""Time for inverse kinematics of a request that gives none, [s]."""
_NO_CHANGE = PlanningScene(is_diff=True)


class Services:
    """Serves them; each answers after its job in the planning thread.

    Args:
        node: Gets the services.
        profile: Names.
        executor: Plans.
        arm: Joints of the arm.
        group: Callback group of the services.
    """

    def __init__(
        self, node: Node, profile: RobotProfile, executor: PlanningExecutor, arm: ArmState, group: CallbackGroup
    ) -> None:
        self._node, self._profile, self._executor, self._arm = node, profile, executor, arm
        names = profile.moveit
        for kind, name, answer in (
            (GetPositionIK, names.compute_ik, self._coded(self._inverse)),
            (GetCartesianPath, names.compute_cartesian_path, self._coded(self._cartesian)),
            (GetMotionPlan, "plan_kinematic_path", self._plan),
            (ApplyPlanningScene, names.apply_planning_scene, self._apply),
            (GetPlanningScene, "get_planning_scene", self._scene),
        ):
            node.create_service(kind, name, answer, callback_group=group)

    def _coded(self, answer: Callable[[Any, Any], Awaitable[None]]) -> Callable[[Any, Any], Any]:
        """Make a service callback that puts errors into the answer's error code."""

        async def serve(request: Any, response: Any) -> Any:
            try:
                await answer(request, response)
                response.error_code = success(response.error_code.message)
            except Exception as error:
                response.error_code = self._failed(error)
            return response

        return serve

    async def _inverse(self, request: GetPositionIK.Request, response: GetPositionIK.Response) -> None:
        asked, joints = request.ik_request, await self._arm.recent()

        def solve(planner: Planner) -> Array:
            return _inverse(planner, asked, joints, self._executor.seed)

        solution = await self._executor.do_in(_NO_CHANGE, asked.robot_state, joints, solve)
        response.solution = robot_state(self._profile.joint_names, solution, self._profile.moveit.planning_frame)

    async def _cartesian(self, request: GetCartesianPath.Request, response: GetCartesianPath.Response) -> None:
        joints, frame = await self._arm.recent(), self._profile.moveit.planning_frame

        def solve(planner: Planner) -> tuple[Array, StraightPath | None]:
            start = start_of(planner, request.start_state, joints)
            return start, _cartesian(planner, request, start)

        start, line = await self._executor.do_in(_NO_CHANGE, request.start_state, joints, solve)
        response.start_state = robot_state(self._profile.joint_names, start, frame)
        if line is not None:
            response.fraction, response.error_code.message = line.fraction, line.reason
            response.solution = trajectory(line.path, frame)

    async def _plan(self, request: GetMotionPlan.Request, response: GetMotionPlan.Response) -> GetMotionPlan.Response:
        asked, answer = request.motion_plan_request, response.motion_plan_response
        answer.group_name = asked.group_name
        try:
            joints = await self._arm.fresh()
            start = asked.start_state

            def plan(planner: Planner) -> Planned:
                return plan_request(planner, asked, start, joints, self._executor.seed, allow_met=False)

            planned = await self._executor.do_in(_NO_CHANGE, start, joints, plan)
            assert planned.path is not None
            frame = self._profile.moveit.planning_frame
            answer.trajectory_start = robot_state(self._profile.joint_names, planned.start_rad, frame)
            answer.trajectory, answer.planning_time = trajectory(planned.path, frame), planned.duration_s
            answer.error_code = success()
        except Exception as error:
            answer.error_code = self._failed(error)
        return response

    async def _apply(
        self, request: ApplyPlanningScene.Request, response: ApplyPlanningScene.Response
    ) -> ApplyPlanningScene.Response:
        problems: list[Exception] = []
        try:
            joints = await self._arm.recent()
            problems += await self._executor.do(lambda _: self._executor.scene.apply(request.scene, joints))
        except Exception as error:
            problems.append(error)
        for problem in problems:
            # The response has no field for a reason.
            self._failed(problem)
        response.success = not problems
        return response

    async def _scene(
        self, request: GetPlanningScene.Request, response: GetPlanningScene.Response
    ) -> GetPlanningScene.Response:
        try:
            joints = await self._arm.recent()
            wanted = request.components.components
            response.scene = await self._executor.do(
                lambda planner: scene_message(planner, self._executor.scene.allowed, joints, wanted)
            )
        except Exception as error:
            self._failed(error)
        return response

    def _failed(self, error: Exception) -> Any:
        refusal = as_refusal(error)
        self._node.get_logger().warning(f"{refusal.code.name}: {refusal}")
        return failure(refusal)


def _inverse(planner: Planner, asked: Any, joints_rad: Array, seed: int) -> Array:
    check_group(planner, asked.group_name)
    if constrained(asked.constraints):
        raise PlanningError(
            MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "constraints: expected none, they are not supported"
        )
    poses, links = asked.pose_stamped_vector or [asked.pose_stamped], asked.ik_link_names
    if len(poses) > 1 or (asked.pose_stamped_vector and len(links) > 1):
        raise PlanningError(
            MoveItErrorCode.INVALID_LINK_NAME,
            f"expected one link with one pose, got {len(poses)} poses and {len(links)} links",
        )
    link = (links[0] if links else "") if asked.pose_stamped_vector else asked.ik_link_name
    near = start_of(planner, asked.robot_state, joints_rad)
    pose = planner.in_base(poses[0].header.frame_id, pose_from_message(poses[0].pose), near)
    timeout_s = seconds(asked.timeout)
    try:
        return planner.inverse(
            pose,
            seed_rad=near,
            link=link or planner.profile.moveit.tip_link,
            avoid_collisions=asked.avoid_collisions,
            timeout_s=timeout_s if timeout_s > 0 else _IK_S,
            seed=seed,
        )
    except PlanningError as error:
        # MoveIt has one code for all of these; the message distinguishes them.
        if error.code in (MoveItErrorCode.GOAL_IN_COLLISION, MoveItErrorCode.TIMED_OUT):
            raise PlanningError(MoveItErrorCode.NO_IK_SOLUTION, str(error)) from None
        raise


def _cartesian(planner: Planner, request: GetCartesianPath.Request, start_rad: Array) -> StraightPath | None:
    check_group(planner, request.group_name)
    check_unconstrained(request.path_constraints)
    if not request.max_step > 0:
        raise PlanningError(MoveItErrorCode.FAILURE, f"max_step: expected a step > 0 m, got {request.max_step}")
    link = request.link_name or planner.profile.moveit.tip_link
    if not request.waypoints:
        return None
    waypoints, frame = [pose_from_message(pose) for pose in request.waypoints], request.header.frame_id
    if frame == link:
        # Each in the frame of the link at the previous one, as in MoveIt.
        placed, last = [], planner.forward(start_rad, link)
        for pose in waypoints:
            last = last @ pose
            placed.append(last)
    else:
        placed = [planner.in_base(frame, pose, start_rad) for pose in waypoints]
    joined = Poses(
        pos_m=np.vstack([pose.pos_m for pose in placed]), quat_xyzw=np.vstack([pose.quat_xyzw for pose in placed])
    )
    return planner.cartesian(
        start_rad,
        joined,
        link=link,
        max_step_m=request.max_step,
        jump_threshold=request.jump_threshold,
        revolute_jump_rad=request.revolute_jump_threshold,
        avoid_collisions=request.avoid_collisions,
        velocity_scaling=scaling(request.max_velocity_scaling_factor),
        acceleration_scaling=scaling(request.max_acceleration_scaling_factor),
        tool_speed_m_s=tool_speed(planner.profile, request.cartesian_speed_limited_link, request.max_cartesian_speed),
    )
