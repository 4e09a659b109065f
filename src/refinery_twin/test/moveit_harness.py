"""A running twin with its move_group and a client of MoveIt's names, on a domain of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from control_msgs.action import FollowJointTrajectory
from geometry_msgs.msg import Pose, PoseStamped
from moveit_msgs.action import ExecuteTrajectory, MoveGroup
from moveit_msgs.msg import (
    AttachedCollisionObject,
    CollisionObject,
    Constraints,
    JointConstraint,
    OrientationConstraint,
    PlanningScene,
    PositionConstraint,
)
from moveit_msgs.srv import (
    ApplyPlanningScene,
    GetCartesianPath,
    GetMotionPlan,
    GetPlanningScene,
    GetPositionIK,
)
from rclpy.action import ActionClient
from shape_msgs.msg import SolidPrimitive
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from twin_harness import PATIENCE_S, Client, start_twin, stop_twin

from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.rotations import Array, Poses
from refinery_ros.conversions import duration_message, pose_message
from refinery_ros.testing.graph import own_domain
from refinery_twin.planning import MoveItErrorCode


class Goal:
    """A goal that was sent."""

    def __init__(self, client: MoveItClient, handle: Any, feedback: list[Any]) -> None:
        self._client, self._handle, self.feedback = client, handle, feedback
        self.accepted = bool(handle.accepted)
        self._result = handle.get_result_async() if self.accepted else None

    @property
    def done(self) -> bool:
        return bool(self._result.done())

    def cancel(self) -> None:
        future = self._handle.cancel_goal_async()
        self._client.wait_for(future.done, "answer to the cancellation")

    def result(self) -> Any:
        """Wait for the result; its ``status`` is that of the goal."""
        self._client.wait_for(self._result.done, "result of the action")
        return self._result.result()


class MoveItClient(Client):
    """A robot program that uses MoveIt and the trajectory controller's action."""

    def __init__(self, profile: RobotProfile, context: rclpy.Context) -> None:
        super().__init__(profile, context)
        self.logs: dict[str, Path] = {}
        self.twin: subprocess.Popen[bytes] | None = None
        self.said = ""
        names, node = profile.moveit, self.node
        self._actions = {
            MoveGroup: ActionClient(node, MoveGroup, names.move_action),
            ExecuteTrajectory: ActionClient(node, ExecuteTrajectory, names.execute_trajectory),
            FollowJointTrajectory: ActionClient(node, FollowJointTrajectory, profile.follow_joint_trajectory),
        }
        self._services = {
            GetPositionIK: node.create_client(GetPositionIK, names.compute_ik),
            GetCartesianPath: node.create_client(GetCartesianPath, names.compute_cartesian_path),
            ApplyPlanningScene: node.create_client(ApplyPlanningScene, names.apply_planning_scene),
            GetMotionPlan: node.create_client(GetMotionPlan, "plan_kinematic_path"),
            GetPlanningScene: node.create_client(GetPlanningScene, "get_planning_scene"),
        }

    def send(self, kind: Any, goal: Any) -> Goal:
        """Send a goal of an action and wait until it is taken or rejected."""
        client, feedback = self._actions[kind], []
        self.wait_for(client.server_is_ready, f"action {client._action_name}")
        future = client.send_goal_async(goal, feedback_callback=lambda message: feedback.append(message.feedback))
        self.wait_for(future.done, "answer to the goal")
        return Goal(self, future.result(), feedback)

    def ask(self, kind: Any, request: Any) -> Any:
        """Call a service."""
        return self._call(self._services[kind], request)

    def follow(self, goal_rad: Array, duration_s: float, **more: Any) -> Goal:
        """Send a trajectory of one point to the controller's action."""
        return self.send(
            FollowJointTrajectory, FollowJointTrajectory.Goal(**{"trajectory": self.way(goal_rad, duration_s), **more})
        )

    def way(self, goal_rad: Array, duration_s: float) -> JointTrajectory:
        point = JointTrajectoryPoint(
            positions=np.asarray(goal_rad).tolist(), velocities=[0.0] * 7, time_from_start=duration_message(duration_s)
        )
        return JointTrajectory(joint_names=list(self.profile.joint_names), points=[point])

    def move_goal(self, *constraints: Constraints, plan_only: bool = False, **request: Any) -> MoveGroup.Goal:
        """Return a goal of ``move_action`` as pymoveit2 fills it."""
        goal = MoveGroup.Goal()
        goal.request.group_name = self.profile.moveit.group
        goal.request.goal_constraints = list(constraints)
        goal.request.num_planning_attempts = 5
        goal.request.allowed_planning_time = 5.0
        goal.request.start_state.is_diff = True
        goal.planning_options.planning_scene_diff.is_diff = True
        goal.planning_options.planning_scene_diff.robot_state.is_diff = True
        goal.planning_options.plan_only = plan_only
        for name, value in request.items():
            setattr(goal.request, name, value)
        return goal

    def move(self, *constraints: Constraints, plan_only: bool = False, **request: Any) -> Goal:
        return self.send(MoveGroup, self.move_goal(*constraints, plan_only=plan_only, **request))

    def code(self, *constraints: Constraints, plan_only: bool = True, **request: Any) -> MoveItErrorCode:
        """Plan (by default without executing) and return the error code; every failure has a sentence and a source."""
        return self.code_of(self.move(*constraints, plan_only=plan_only, **request).result().result.error_code)

    def code_of(self, message: Any) -> MoveItErrorCode:
        self.said = message.message
        assert message.source == "move_group"
        assert message.val == MoveItErrorCode.SUCCESS or message.message
        return MoveItErrorCode(message.val)

    def joint_goal(self, joints_rad: Array, tolerance_rad: float = 1e-3, names: Sequence[str] = ()) -> Constraints:
        return Constraints(
            joint_constraints=[
                JointConstraint(
                    joint_name=name,
                    position=float(value),
                    tolerance_above=tolerance_rad,
                    tolerance_below=tolerance_rad,
                    weight=1.0,
                )
                for name, value in zip(names or self.profile.joint_names, joints_rad, strict=False)
            ]
        )

    def pose_goal(self, pose: Poses, *, frame: str = "", link: str = "", tolerance: float = 1e-3) -> Constraints:
        """Return a pose goal as pymoveit2 builds it."""
        frame, link = frame or self.profile.base_frame, link or self.profile.moveit.tip_link
        position, orientation = PositionConstraint(link_name=link, weight=1.0), OrientationConstraint(link_name=link)
        position.header.frame_id = orientation.header.frame_id = frame
        message = pose_message(pose)
        position.constraint_region.primitives = [SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[tolerance])]
        position.constraint_region.primitive_poses = [Pose(position=message.position)]
        orientation.orientation, orientation.weight = message.orientation, 1.0
        for axis in "xyz":
            setattr(orientation, f"absolute_{axis}_axis_tolerance", tolerance)
        return Constraints(position_constraints=[position], orientation_constraints=[orientation])

    def stamped(self, pose: Poses, frame: str = "") -> PoseStamped:
        message = PoseStamped(pose=pose_message(pose))
        message.header.frame_id = frame or self.profile.base_frame
        return message

    def box(self, name: str, size_m: Sequence[float], xyz_m: Sequence[float], frame: str = "") -> CollisionObject:
        message = CollisionObject(id=name, operation=CollisionObject.ADD)
        message.header.frame_id = frame or self.profile.base_frame
        message.pose = pose_message(Poses.from_xyz_rpy(xyz_m, (0.0, 0.0, 0.0)))
        message.primitives = [SolidPrimitive(type=SolidPrimitive.BOX, dimensions=list(map(float, size_m)))]
        return message

    def apply(
        self,
        *objects: CollisionObject,
        attached: Sequence[AttachedCollisionObject] = (),
        is_diff: bool = True,
        **more: Any,
    ) -> bool:
        """Change the planning scene; returns its ``success``."""
        scene = PlanningScene(is_diff=is_diff, **more)
        scene.robot_state.is_diff = True
        scene.world.collision_objects = list(objects)
        scene.robot_state.attached_collision_objects = list(attached)
        return bool(self.ask(ApplyPlanningScene, ApplyPlanningScene.Request(scene=scene)).success)

    def held(self, name: str, size_m: Sequence[float], xyz_m: Sequence[float]) -> AttachedCollisionObject:
        """Return a box in the hand, at the tool frame."""
        tip = self.profile.moveit.tip_link
        return AttachedCollisionObject(
            link_name=tip,
            object=self.box(name, size_m, xyz_m, tip),
            touch_links=list(self.profile.moveit.touch_links),
        )

    def scene(self) -> Any:
        return self.ask(GetPlanningScene, GetPlanningScene.Request()).scene

    def tool_at(self, joints_rad: Array) -> Poses:
        return self.profile.arm_kinematics().forward(np.asarray(joints_rad))

    def wait_moving(self, start_rad: Array) -> None:
        """Wait until the arm has left a place."""
        self.wait_for(lambda: bool(np.abs(self.joints_rad - start_rad).max() > 0.02), "motion of the arm")


def start_move_group(env: dict[str, str], log: Path, **parameters: object) -> subprocess.Popen[bytes]:
    """Start the node in a process of its own; its output goes to a file."""
    given = {"use_sim_time": "true", **parameters}
    arguments = [part for name, value in given.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, "-m", "refinery_twin.move_group.node", "--ros-args", *arguments]
    with log.open("wb") as out:
        return subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)


def wait_for_log(log: Path, text: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE_S
    while text not in log.read_text():
        assert process.poll() is None and time.monotonic() < end, log.read_text()
        time.sleep(0.05)


@contextmanager
def in_domain(env: dict[str, str]) -> Iterator[rclpy.Context]:
    """Put this process into a domain and yield a context there."""
    previous = {name: os.environ.get(name) for name in ("ROS_DOMAIN_ID", "ROS_AUTOMATIC_DISCOVERY_RANGE")}
    os.environ.update({name: env[name] for name in previous})
    context = rclpy.Context()
    try:
        rclpy.init(context=context)
        yield context
    finally:
        rclpy.try_shutdown(context=context)
        for name, value in previous.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def running_cell(folder: Path, *, move_group: bool, **twin: object) -> Iterator[MoveItClient]:
    """Run a twin, and a move_group beside it if asked for, and yield a client; both have to end well."""
    log, other_log = folder / "twin.log", folder / "move_group.log"
    with own_domain() as env:
        process = start_twin(env, log, **twin)
        other = start_move_group(env, other_log) if move_group else None
        try:
            with in_domain(env) as context:
                client = MoveItClient(load_robot_profile("twin"), context)
                client.connected()
                if other is not None:
                    wait_for_log(other_log, "start planning now", other)
                client.logs = {"twin": log, "move_group": other_log}
                client.twin = process
                yield client
                client.close()
        finally:
            statuses = [stop_twin(each) for each in (process, other) if each is not None]
        assert not any(statuses), log.read_text() + (other_log.read_text() if other else "")
        for each in (log, other_log) if other else (log,):
            assert "Traceback" not in each.read_text(), each.read_text()
