"""A scripted ``move_group``: answers on the real wire as told, plans in empty space, executes by moving a robot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from builtin_interfaces.msg import Duration
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import MoveItErrorCodes, PlanningScene, RobotTrajectory
from moveit_msgs.srv import ApplyPlanningScene, GetCartesianPath, GetPositionIK
from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node
from rclpy.task import Future
from scipy.interpolate import CubicSpline
from scipy.spatial.transform import Rotation, Slerp
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery_ros.conversions import pose_numbers

Code = MoveItErrorCodes
_SPEED_RAD_S = 0.8
_STEP_M = 0.005


class Arm(Protocol):
    """What executes trajectories."""

    def follow(self, trajectory: JointTrajectory) -> None: ...

    def halt(self) -> None: ...

    @property
    def following_s(self) -> float:
        """Time that is left of the trajectory, [s]; 0 at its end."""
        ...


class MoveGroupPeer:
    """Serves what a placement asks of MoveIt.

    Args:
        node: Gets the servers.
        profile: Names.
        kinematics: Of the arm.
        arm: Moves.
    """

    def __init__(self, node: Node, profile: RobotProfile, kinematics: ArmKinematics, arm: Arm) -> None:
        self._node, self._profile, self._kinematics, self._arm = node, profile, kinematics, arm
        self._tick: Future = Future()
        self.restore()
        self._open()

    def _open(self) -> None:
        node, spec = self._node, self._profile.moveit
        self._services = [
            node.create_service(ApplyPlanningScene, spec.apply_planning_scene, self._on_scene),
            node.create_service(GetPositionIK, spec.compute_ik, self._on_inverse),
            node.create_service(GetCartesianPath, spec.compute_cartesian_path, self._on_line),
        ]
        self._actions = [
            ActionServer(node, kind, name, execute, cancel_callback=lambda _goal: CancelResponse.ACCEPT)
            for kind, name, execute in (
                (MoveGroup, spec.move_action, self._on_plan),
                (ExecuteTrajectory, spec.execute_trajectory, self._on_execute),
            )
        ]

    def _close(self) -> None:
        for service in self._services:
            self._node.destroy_service(service)
        for action in self._actions:
            action.destroy()
        self._services, self._actions = [], []

    def restore(self) -> None:
        """Forget the script and what was asked."""
        self.script: dict[str, list[int]] = defaultdict(list)
        """Codes to answer with instead, by endpoint, the next first."""
        self.fraction = 1.0
        self.answering = True
        """Whether plans are answered."""
        self.reporting = True
        """Whether the end of an execution is reported."""
        self.passing: Callable[[], bool] = lambda: True
        """Whether an execution is passed on to the arm by now."""
        self.stopping = True
        """Whether a cancelled execution brings the arm to rest."""
        self.serving = True
        """Whether there is a server at all."""
        self.change: Callable[[RobotTrajectory], None] = lambda trajectory: None
        """Spoils a plan before it is sent."""
        self.scenes: list[PlanningScene] = []
        self.asked: list[tuple[str, Any]] = []
        self.cancelled: list[str] = []

    def step(self) -> None:
        """Let what waits look again; come or go as told."""
        if self.serving != bool(self._actions):
            self._open() if self.serving else self._close()
        tick, self._tick = self._tick, Future()
        tick.set_result(None)

    def names(self) -> list[str]:
        """Endpoints that were asked, in order."""
        return [name for name, _ in self.asked]

    def _code(self, name: str, request: Any) -> MoveItErrorCodes:
        self.asked.append((name, request))
        value = self.script[name].pop(0) if self.script[name] else Code.SUCCESS
        return MoveItErrorCodes(val=value, message="" if value == Code.SUCCESS else f"scripted {value}")

    def _on_scene(
        self, request: ApplyPlanningScene.Request, response: ApplyPlanningScene.Response
    ) -> ApplyPlanningScene.Response:
        response.success = self._code("apply_planning_scene", request).val == Code.SUCCESS
        self.scenes.append(request.scene)
        return response

    def _on_inverse(self, request: GetPositionIK.Request, response: GetPositionIK.Response) -> GetPositionIK.Response:
        response.error_code = self._code("compute_ik", request)
        asked = request.ik_request
        joints, reached = self._kinematics.inverse(_pose(asked.pose_stamped.pose), _joints(asked.robot_state))
        if not reached[0] and response.error_code.val == Code.SUCCESS:
            response.error_code.val = Code.NO_IK_SOLUTION
        # As MoveIt: all joints of the robot, in an order of its own.
        response.solution.joint_state.name = ["finger", *reversed(self._profile.joint_names)]
        response.solution.joint_state.position = [0.04, *joints[0][::-1].tolist()]
        return response

    def _on_line(
        self, request: GetCartesianPath.Request, response: GetCartesianPath.Response
    ) -> GetCartesianPath.Response:
        response.error_code = self._code("compute_cartesian_path", request)
        response.fraction = self.fraction if response.error_code.val == Code.SUCCESS else 0.0
        start = _joints(request.start_state)
        begin, end = self._kinematics.forward(start), _pose(request.waypoints[0])
        count = max(4, int(np.linalg.norm(end.pos_m - begin.pos_m) / _STEP_M) + 2)
        share = np.linspace(0.0, 1.0, count)
        turn = Slerp([0.0, 1.0], Rotation.concatenate([begin.rotation, end.rotation]))(share)
        poses = Poses(pos_m=begin.pos_m + share[:, None] * (end.pos_m - begin.pos_m), quat_xyzw=turn.as_quat())
        joints, _ = self._kinematics.inverse(poses, start)
        joints[0] = start
        response.solution = self._timed(joints)
        return response

    async def _on_plan(self, handle: Any) -> MoveGroup.Result:
        request = handle.request.request
        result = MoveGroup.Result(error_code=self._code("move_action", handle.request))
        while not self.answering and not handle.is_cancel_requested:
            await self._tick
        if handle.is_cancel_requested:
            self.cancelled.append("move_action")
            handle.canceled()
            return result
        goal = {each.joint_name: each.position for each in request.goal_constraints[0].joint_constraints}
        start = _joints(request.start_state)
        end = np.array([goal[name] for name in self._profile.joint_names])
        result.planned_trajectory = self._timed(start + np.linspace(0, 1, 20)[:, None] * (end - start))
        self.change(result.planned_trajectory)
        if result.error_code.val == Code.SUCCESS:
            handle.succeed()
        else:
            handle.abort()
        return result

    async def _on_execute(self, handle: Any) -> ExecuteTrajectory.Result:
        result = ExecuteTrajectory.Result(error_code=self._code("execute_trajectory", handle.request))
        if result.error_code.val != Code.SUCCESS:
            handle.abort()
            return result
        while not self.passing():
            await self._tick
        self._arm.follow(handle.request.trajectory.joint_trajectory)
        while self._arm.following_s > 0 or not self.reporting:
            if handle.is_cancel_requested and self.stopping:
                self._arm.halt()
                self.cancelled.append("execute_trajectory")
                result.error_code.val = Code.PREEMPTED
                handle.canceled()
                return result
            await self._tick
        handle.succeed()
        return result

    def _timed(self, joints: np.ndarray) -> RobotTrajectory:
        """Go through knots with a quintic time law, joints in an order of their own."""
        duration = max(0.3, 1.875 * np.abs(np.diff(joints, axis=0)).max() * (len(joints) - 1) / _SPEED_RAD_S)
        sigma = np.linspace(0.0, 1.0, 40)
        s, ds = sigma**3 * (10 - 15 * sigma + 6 * sigma**2), 30 * sigma**2 * (1 - sigma) ** 2
        curve = CubicSpline(np.linspace(0.0, 1.0, len(joints)), joints, axis=0)
        q, v = curve(s)[:, ::-1], (curve(s, 1) * ds[:, None] / duration)[:, ::-1]
        points = [
            JointTrajectoryPoint(positions=a.tolist(), velocities=b.tolist(), time_from_start=_duration(t * duration))
            for t, a, b in zip(sigma, q, v, strict=True)
        ]
        names = list(reversed(self._profile.joint_names))
        return RobotTrajectory(joint_trajectory=JointTrajectory(joint_names=names, points=points))


def _duration(time_s: float) -> Duration:
    return Duration(sec=int(time_s), nanosec=int(time_s % 1 * 1e9))


def _joints(state: Any) -> np.ndarray:
    assert state.is_diff
    return np.array(state.joint_state.position)


def _pose(message: Any) -> Poses:
    return Poses.single(*pose_numbers(message))
