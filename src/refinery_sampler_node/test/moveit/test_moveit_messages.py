"""What goes to MoveIt and what comes back: codes, trajectories, scenes, requests; messages only, no graph."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from geometry_msgs.msg import Pose
from hypothesis import given, settings
from hypothesis import strategies as st
from moveit_msgs.msg import CollisionObject, MoveItErrorCodes, RobotTrajectory
from shape_msgs.msg import SolidPrimitive

from refinery.initial_state import tool_pose
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import Task, load_task
from refinery_msgs.msg import Outcome
from refinery_ros.collision_objects import mesh_message
from refinery_ros.conversions import pose_numbers
from refinery_sampler_node.moveit.error_codes import MEANINGS, MoveItError, check_code, meaning_of, name_of
from refinery_sampler_node.moveit.messages import MotionSettings, inverse_request, line_request, plan_goal
from refinery_sampler_node.moveit.scene import PART, SOCKET, TABLE, parting_scene, scene_message
from refinery_sampler_node.moveit.trajectory import (
    Motion,
    check_line,
    joined,
    message_from_motion,
    motion_from_message,
    within_limits,
)
from refinery_sim.part import part_geometry

SETTINGS = MotionSettings(
    velocity_scaling=0.5, acceleration_scaling=0.4, tool_speed_m_s=0.2, approach_speed_m_s=0.05, step_m=0.002
)
SOCKET_POSE = Poses.from_xyz_rpy([0.5, 0.02, 0.1], [0.0, 0.0, 0.3])


def _codes() -> dict[str, int]:
    named = {name: getattr(MoveItErrorCodes, name) for name in dir(MoveItErrorCodes) if name.isupper()}
    return {name: value for name, value in named.items() if isinstance(value, int)}


def test_every_code_has_a_meaning() -> None:
    assert set(MEANINGS) == set(_codes().values())
    outcomes = {
        getattr(Outcome, name) for name in ("SUCCESS", "FAILED", "STOPPED", "CANCELLED", "REFUSED", "TIMED_OUT")
    }
    for name, value in _codes().items():
        meaning = meaning_of(value)
        assert name_of(value) == name
        assert meaning.outcome in outcomes and meaning.text and meaning.advice
        assert (meaning.outcome == Outcome.SUCCESS) == (value == MoveItErrorCodes.SUCCESS)


@pytest.mark.parametrize("value", [*_codes().values(), 4711])
def test_anything_but_success_is_an_error_with_a_sentence(value: int) -> None:
    message = MoveItErrorCodes(val=value, message="link touches table.")
    if value == MoveItErrorCodes.SUCCESS:
        check_code(message, "the way")
        return
    with pytest.raises(MoveItError) as caught:
        check_code(message, "the way")
    words = str(caught.value)
    assert words.startswith("the way: ") and "(link touches table); " in words and name_of(value) in words


def _motion(start: np.ndarray, end: np.ndarray, duration_s: float = 2.0) -> Motion:
    sigma = np.linspace(0.0, 1.0, 30)[:, None]
    s, ds = sigma**3 * (10 - 15 * sigma + 6 * sigma**2), 30 * sigma**2 * (1 - sigma) ** 2
    return Motion(
        times_s=sigma[:, 0] * duration_s,
        positions_rad=start + s * (end - start),
        velocities_rad_s=ds * (end - start) / duration_s,
    )


def test_trajectories_survive_the_wire_in_any_order_of_joints(
    profile: RobotProfile, arm: ArmKinematics, home_rad: np.ndarray
) -> None:
    motion = _motion(home_rad, home_rad + 0.2)
    message = message_from_motion(motion, profile.joint_names)
    turned = message.joint_trajectory
    turned.joint_names = turned.joint_names[::-1]
    for point in turned.points:
        point.positions, point.velocities = point.positions[::-1], point.velocities[::-1]
    read = motion_from_message(
        message, joint_names=profile.joint_names, start_rad=home_rad, kinematics=arm, what="the way"
    )
    np.testing.assert_allclose(read.positions_rad, motion.positions_rad)
    np.testing.assert_allclose(read.velocities_rad_s, motion.velocities_rad_s)
    np.testing.assert_allclose(read.times_s, motion.times_s, atol=1e-8)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("names", "expected the joints"),
        ("empty", "expected positions of 7 joints"),
        ("no velocities", "expected velocities of 7 joints"),
        ("nan", "finite"),
        ("times", "increasing times"),
        ("in motion", "from rest to rest"),
        ("elsewhere", "of the arm's joints"),
        ("limits", "outside its limits"),
    ],
)
def test_bad_trajectories_are_refused(
    profile: RobotProfile, arm: ArmKinematics, home_rad: np.ndarray, what: str, words: str
) -> None:
    end = home_rad + (3.0 if what == "limits" else 0.2)
    message: RobotTrajectory = message_from_motion(_motion(home_rad, end), profile.joint_names)
    trajectory = message.joint_trajectory
    if what == "names":
        trajectory.joint_names = ["other_joint1", *trajectory.joint_names[1:]]
    elif what == "empty":
        trajectory.points = []
    elif what == "no velocities":
        trajectory.points[3].velocities = []
    elif what == "nan":
        trajectory.points[3].positions[2] = np.nan
    elif what == "times":
        trajectory.points[3].time_from_start.sec = 9
    elif what == "in motion":
        trajectory.points[-1].velocities[0] = 0.1
    elif what == "elsewhere":
        home_rad = home_rad + 0.1
    with pytest.raises(MoveItError, match=words) as caught:
        motion_from_message(
            message, joint_names=profile.joint_names, start_rad=home_rad, kinematics=arm, what="the way"
        )
    assert caught.value.code == MoveItErrorCodes.INVALID_MOTION_PLAN and caught.value.meaning.try_next


def test_parts_are_joined_at_rest(home_rad: np.ndarray) -> None:
    a, b = _motion(home_rad, home_rad + 0.2), _motion(home_rad + 0.2, home_rad + 0.1, 1.0)
    whole = joined([a, b])
    assert whole.duration_s == 3.0 and np.all(np.diff(whole.times_s) > 0)
    np.testing.assert_allclose(whole.spline(2.0), home_rad + 0.2)
    np.testing.assert_allclose(whole.spline(2.0, 1), 0.0, atol=1e-12)
    np.testing.assert_allclose(whole.goal_rad, home_rad + 0.1)
    with pytest.raises(MoveItError, match=r"gap of 0\.100 rad"):
        joined([a, _motion(home_rad + 0.3, home_rad)])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), duration_s=st.floats(0.01, 5.0))
def test_motions_are_slowed_to_the_limits(
    arm: ArmKinematics, home_rad: np.ndarray, seed: int, duration_s: float
) -> None:
    rng = np.random.default_rng(seed)
    motion = _motion(home_rad, home_rad + rng.uniform(-0.3, 0.3, 7), duration_s)
    slow = within_limits(motion, kinematics=arm, velocity_rad_s=np.full(7, 0.8), tool_speed_m_s=0.2)
    times = np.linspace(0.0, slow.duration_s, 400)
    assert np.abs(slow.spline(times, 1)).max() <= 0.8 * 1.01
    tool = arm.forward(slow.spline(times)).pos_m
    assert np.linalg.norm(np.diff(tool, axis=0), axis=1).max() / (times[1] - times[0]) <= 0.2 * 1.02
    np.testing.assert_allclose(slow.positions_rad, motion.positions_rad)
    assert slow.duration_s >= duration_s - 1e-12


def test_lines_are_checked(arm: ArmKinematics, home_rad: np.ndarray) -> None:
    begin = arm.forward(home_rad)
    goal = Poses(pos_m=begin.pos_m - np.array([[0.0, 0.0, 0.05]]), quat_xyzw=begin.quat_xyzw)
    share = np.linspace(0.0, 1.0, 12)[:, None]
    poses = Poses(pos_m=begin.pos_m + share * (goal.pos_m - begin.pos_m), quat_xyzw=np.tile(goal.quat_xyzw, (12, 1)))
    joints, reached = arm.inverse(poses, home_rad)
    assert reached.all()
    times = np.linspace(0.0, 2.0, 12)
    straight = Motion(
        times_s=times, positions_rad=joints, velocities_rad_s=np.gradient(joints, times, axis=0)
    )  # fmt: skip
    check_line(straight, arm, goal, "the way down")
    other = Poses(pos_m=goal.pos_m + np.array([[0.002, 0.0, 0.0]]), quat_xyzw=goal.quat_xyzw)
    with pytest.raises(MoveItError, match=r"ends 2\.0 mm"):
        check_line(straight, arm, other, "the way down")
    bent = dataclasses.replace(straight, positions_rad=joints + 0.1 * np.sin(np.pi * share) * np.eye(7)[0])
    with pytest.raises(MoveItError, match="leaves the straight line"):
        check_line(bent, arm, goal, "the way down")


def test_scene_has_table_socket_and_part(profile: RobotProfile, task: Task, part: PartGeometry) -> None:
    grasp = np.array([[0.001, 0.002, 0.1]])
    scene = scene_message(task, part, profile, socket=SOCKET_POSE, grasp=grasp, table_top_m=-0.01)
    assert scene.is_diff and scene.robot_state.is_diff
    (held,) = scene.robot_state.attached_collision_objects
    assert (held.link_name, held.object.id) == (profile.moveit.tip_link, PART)
    assert tuple(held.touch_links) == profile.moveit.touch_links
    np.testing.assert_allclose(
        pose_numbers(held.object.pose)[0], task.plug.tool_from_plug_at(grasp).pos_m[0]
    )  # fmt: skip
    table, socket = scene.world.collision_objects
    assert (table.id, socket.id) == (TABLE, SOCKET)
    assert all(each.operation == CollisionObject.ADD for each in (table, socket, held.object))
    assert all(each.header.frame_id == profile.base_frame for each in (table, socket))
    assert _top(table) == pytest.approx(-0.01)
    # In the socket's own frame: up to the rim, down to the table.
    block, middle = socket.primitives[0], socket.primitive_poses[0].position
    assert middle.z + block.dimensions[2] / 2 == pytest.approx(task.rim_height_m)
    assert middle.z - block.dimensions[2] / 2 == pytest.approx(-0.11)
    assert _top(socket) == pytest.approx(0.1 + task.rim_height_m)
    parting = parting_scene(task, part, profile, socket=SOCKET_POSE, table_top_m=-0.01)
    # What is removed is put there in the same message first: otherwise there might be nothing to remove.
    for things, name in (
        ([each.object for each in parting.robot_state.attached_collision_objects], PART),
        (parting.world.collision_objects, SOCKET),
    ):
        operations = [each.operation for each in things if each.id == name]
        assert operations == [CollisionObject.ADD, CollisionObject.REMOVE]
    assert [each.id for each in parting.world.collision_objects] == [TABLE, SOCKET, SOCKET, PART]
    empty = scene_message(
        task, part, profile, socket=SOCKET_POSE, grasp=grasp, table_top_m=-0.01, empty_hand=True
    )  # fmt: skip
    attached = [each.object for each in empty.robot_state.attached_collision_objects]
    assert [each.operation for each in attached] == [CollisionObject.ADD, CollisionObject.REMOVE]
    assert [each.id for each in empty.world.collision_objects] == [TABLE, SOCKET, PART]
    assert empty.world.collision_objects[-1].operation == CollisionObject.REMOVE
    none = scene_message(task, part, profile, socket=None, grasp=grasp, table_top_m=-0.01)
    assert [each.id for each in none.world.collision_objects] == [TABLE]


@pytest.mark.parametrize(
    "name", ["peg_rect", "hexagon", "cross_corner", "l_bracket", "t_post", "two_prongs", "three_prongs"]
)
def test_scene_of_every_kind_of_task_keeps_the_parts_volume(profile: RobotProfile, name: str) -> None:
    task = load_task(config_file("tasks", name))
    part = part_geometry(task)
    scene = scene_message(task, part, profile, socket=SOCKET_POSE, grasp=np.zeros((1, 3)), table_top_m=-0.01)
    held = scene.robot_state.attached_collision_objects[0].object
    assert len(held.primitives) + len(held.meshes) == len(part.pieces)
    volume = sum(float(np.prod(each.dimensions)) for each in held.primitives if each.type == SolidPrimitive.BOX)
    volume += sum(_volume(mesh) for mesh in held.meshes)
    assert volume == pytest.approx(sum(piece.volume_m3 for piece in part.pieces))
    assert len(scene.world.collision_objects[1].primitives) == 1 + len(task.socket.neighbours)


def test_mesh_faces_outwards() -> None:
    corners = np.random.default_rng(0).normal(size=(30, 3))
    assert _volume(mesh_message(corners)) > 0


def test_requests_carry_the_profile_as_it_is(profile: RobotProfile, task: Task, home_rad: np.ndarray) -> None:
    spec = profile.moveit
    tool = tool_pose(SOCKET_POSE, np.array([[0, 0, 0.035, 0, 0, 0, 0, 0, 0.0]]), task.plug.tool_from_plug)
    goal = plan_goal(profile, SETTINGS, start_rad=home_rad, goal_rad=home_rad + 0.1)
    request = goal.request
    assert goal.planning_options.plan_only and goal.planning_options.planning_scene_diff.is_diff
    assert (request.group_name, request.pipeline_id, request.planner_id) == (
        spec.group,
        spec.pipeline_id,
        spec.planner_id,
    )
    assert (request.num_planning_attempts, request.allowed_planning_time) == (
        spec.planning_attempts,
        spec.allowed_planning_time_s,
    )
    assert (request.max_velocity_scaling_factor, request.max_acceleration_scaling_factor) == (0.5, 0.4)
    assert (request.cartesian_speed_limited_link, request.max_cartesian_speed) == (spec.tip_link, 0.2)
    (constraints,) = request.goal_constraints
    assert tuple(each.joint_name for each in constraints.joint_constraints) == profile.joint_names
    np.testing.assert_allclose([each.position for each in constraints.joint_constraints], home_rad + 0.1)
    line = line_request(profile, SETTINGS, start_rad=home_rad, tool=tool)
    assert (line.header.frame_id, line.group_name, line.link_name) == (profile.base_frame, spec.group, spec.tip_link)
    assert line.avoid_collisions and line.max_step == 0.002 and line.max_cartesian_speed == 0.2
    inverse = inverse_request(profile, tool=tool, seed_rad=home_rad).ik_request
    assert inverse.avoid_collisions and inverse.pose_stamped.header.frame_id == profile.base_frame
    for state in (request.start_state, line.start_state, inverse.robot_state):
        assert state.is_diff and tuple(state.joint_state.name) == profile.joint_names
        np.testing.assert_allclose(state.joint_state.position, home_rad)
    for pose in (line.waypoints[0], inverse.pose_stamped.pose):
        assert isinstance(pose, Pose)
        np.testing.assert_allclose(pose_numbers(pose)[0], tool.pos_m[0])


def _top(thing: CollisionObject) -> float:
    solid, place = thing.primitives[0], thing.primitive_poses[0].position
    return float(thing.pose.position.z + place.z + solid.dimensions[2] / 2)


def _volume(mesh: object) -> float:
    points = np.array([[v.x, v.y, v.z] for v in mesh.vertices])  # type: ignore[attr-defined]
    rows = points[np.array([t.vertex_indices for t in mesh.triangles])]  # type: ignore[attr-defined]
    return float(np.einsum("ij,ij->i", rows[:, 0], np.cross(rows[:, 1], rows[:, 2])).sum() / 6)
