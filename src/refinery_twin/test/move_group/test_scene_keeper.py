"""The planning scene through messages, as MoveIt's clients change it."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, Quaternion, TransformStamped
from moveit_msgs.msg import (
    AllowedCollisionEntry,
    AllowedCollisionMatrix,
    AttachedCollisionObject,
    CollisionObject,
    LinkPadding,
    PlanningScene,
    PlanningSceneComponents,
    RobotState,
)
from shape_msgs.msg import Mesh, MeshTriangle, Plane, SolidPrimitive

from refinery.rotations import Poses
from refinery_ros.conversions import pose_message
from refinery_twin.move_group.scene_reply import scene_message
from refinery_twin.planning import MoveItErrorCode, PlanningError

BASE, TIP = "panda_link0", "panda_hand_tcp"
UP = SolidPrimitive(type=SolidPrimitive.BOX, dimensions=[0.1, 0.1, 0.1])


def thing(name="box", xyz=(0.0, 0.0, 0.0), *, frame=BASE, operation=CollisionObject.ADD, solids=(UP,)):
    message = CollisionObject(id=name, operation=operation, primitives=list(solids))
    message.header.frame_id = frame
    message.pose = pose_message(Poses.from_xyz_rpy(xyz, (0, 0, 0)))
    return message


def held(name="part", *, link=TIP, operation=CollisionObject.ADD, solids=(UP,), frame=TIP, touch=()):
    message = thing(name, frame=frame, operation=operation, solids=solids)
    return AttachedCollisionObject(link_name=link, object=message, touch_links=list(touch))


def scene(*objects, attached=(), is_diff=True, **more) -> PlanningScene:
    message = PlanningScene(is_diff=is_diff, **more)
    message.world.collision_objects = list(objects)
    message.robot_state.attached_collision_objects = list(attached)
    message.robot_state.is_diff = True
    return message


def codes(problems) -> list[MoveItErrorCode]:
    assert all(str(problem) for problem in problems)
    return [problem.code for problem in problems]


def matrix(names, allowed) -> AllowedCollisionMatrix:
    rows = [AllowedCollisionEntry(enabled=[{a, b} in allowed for b in names]) for a in names]
    return AllowedCollisionMatrix(entry_names=list(names), entry_values=rows)


def test_add_move_append_and_remove(planner, keeper, home):
    assert not keeper.apply(scene(thing(xyz=(0.5, 0, 0)), thing("other", (0, 1, 0))), home)
    assert set(planner.scene.objects) == {"box", "other"}
    far = thing(xyz=(1.0, 0.0, 0.0), operation=CollisionObject.MOVE, solids=())
    assert not keeper.apply(scene(far), home)
    np.testing.assert_allclose(planner.scene.objects["box"].pose.pos_m[0], (1, 0, 0))
    more = thing(operation=CollisionObject.APPEND)
    more.primitive_poses = [Pose(position=Point(z=0.3))]
    assert not keeper.apply(scene(more), home)
    assert len(planner.scene.objects["box"].shapes) == 2
    np.testing.assert_allclose(planner.scene.objects["box"].shape_poses.pos_m[1], (0, 0, 0.3))
    np.testing.assert_allclose(planner.scene.objects["box"].pose.pos_m[0], (1, 0, 0))
    assert not keeper.apply(scene(thing("new", operation=CollisionObject.APPEND)), home), "as ADD"
    assert not keeper.apply(scene(thing(operation=CollisionObject.REMOVE)), home)
    assert set(planner.scene.objects) == {"other", "new"}
    assert not keeper.apply(scene(thing("", operation=CollisionObject.REMOVE)), home)
    assert not planner.scene.objects


def test_frames_and_kinds_of_solids(planner, keeper, home):
    here = planner.forward(home)
    solids = (
        UP,
        SolidPrimitive(type=SolidPrimitive.SPHERE, dimensions=[0.1]),
        SolidPrimitive(type=SolidPrimitive.CYLINDER, dimensions=[0.3, 0.1]),
    )
    many = thing("many", frame=TIP, solids=solids)
    corners = [Point(), Point(x=0.1), Point(y=0.1), Point(z=0.1)]
    rows = [(0, 1, 2), (0, 1, 3), (0, 2, 3), (1, 2, 3)]
    many.meshes = [Mesh(vertices=corners, triangles=[MeshTriangle(vertex_indices=list(row)) for row in rows])]
    many.pose.orientation = Quaternion(x=0.0, y=0.0, z=0.0, w=0.0)
    assert not keeper.apply(scene(many), home)
    there = planner.scene.objects["many"]
    assert [type(shape).__name__ for shape in there.shapes] == ["Box", "Sphere", "Cylinder", "Mesh"]
    assert (there.shapes[2].height_m, there.shapes[2].radius_m) == (0.3, 0.1)
    np.testing.assert_allclose(there.pose.pos_m, here.pos_m)
    answer = scene_message(planner, keeper.allowed, home, 0).world.collision_objects[0]
    planner.scene.clear()
    assert not keeper.apply(scene(answer), home), "what is told can be told back"
    again = planner.scene.objects["many"]
    assert again.shapes[:3] == there.shapes[:3]
    np.testing.assert_allclose(again.pose.pos_m, there.pose.pos_m)


def test_what_cannot_be_done_leaves_the_rest(planner, keeper, home):
    odd_pose = thing("odd_pose")
    odd_pose.primitive_poses = [Pose(), Pose()]
    plane = thing("plane", solids=())
    plane.planes, plane.plane_poses = [Plane(coef=[0.0, 0.0, 1.0, 0.0])], [Pose()]
    bad = [
        (thing("gone", operation=CollisionObject.REMOVE), MoveItErrorCode.INVALID_OBJECT_NAME),
        (thing("gone", operation=CollisionObject.MOVE), MoveItErrorCode.INVALID_OBJECT_NAME),
        (thing("empty", solids=()), MoveItErrorCode.INVALID_OBJECT_NAME),
        (thing(""), MoveItErrorCode.INVALID_OBJECT_NAME),
        (thing("panda_link3"), MoveItErrorCode.INVALID_OBJECT_NAME),
        (thing("lost", frame="world"), MoveItErrorCode.FRAME_TRANSFORM_FAILURE),
        (thing("lost", frame=""), MoveItErrorCode.FRAME_TRANSFORM_FAILURE),
        (thing("nan", (np.nan, 0, 0)), MoveItErrorCode.FRAME_TRANSFORM_FAILURE),
        (thing("flat", solids=[SolidPrimitive(type=1, dimensions=[0.1, 0.1, 0.0])]), MoveItErrorCode.FAILURE),
        (thing("short", solids=[SolidPrimitive(type=1, dimensions=[0.1])]), MoveItErrorCode.FAILURE),
        (thing("cone", solids=[SolidPrimitive(type=4, dimensions=[0.1, 0.1])]), MoveItErrorCode.FAILURE),
        (odd_pose, MoveItErrorCode.FAILURE),
        (plane, MoveItErrorCode.FAILURE),
    ]
    problems = keeper.apply(scene(thing("first"), *(message for message, _ in bad), thing("last")), home)
    assert codes(problems) == [code for _, code in bad]
    assert set(planner.scene.objects) == {"first", "last"}


def test_attach_and_detach(planner, keeper, home):
    tool = planner.forward(home)
    keeper.apply(scene(thing("part", tuple(tool.pos_m[0]))), home)
    assert not keeper.apply(scene(attached=[held(solids=(), touch=["panda_hand"])]), home), "from the world"
    assert not planner.scene.objects
    carried = planner.scene.attached["part"]
    assert (carried.link, carried.touch_links) == (TIP, ("panda_hand",))
    np.testing.assert_allclose(carried.object.pose.pos_m[0], 0, atol=1e-9)
    assert not keeper.apply(scene(attached=[held(operation=CollisionObject.APPEND)]), home)
    assert len(planner.scene.attached["part"].object.shapes) == 2
    moved = home + 0.5 * np.eye(7)[0]
    assert not keeper.apply(scene(attached=[held(operation=CollisionObject.REMOVE)]), moved)
    np.testing.assert_allclose(planner.scene.objects["part"].pose.pos_m, planner.forward(moved).pos_m, atol=1e-9)
    assert not keeper.apply(scene(attached=[held("a"), held("b"), held("c", link="panda_hand", frame=BASE)]), home)
    assert not keeper.apply(scene(attached=[held("", operation=CollisionObject.REMOVE)]), home), "all of the tip"
    assert set(planner.scene.attached) == {"c"}
    # The robot lets go first: the same message may remove what was held.
    gone = [held("c", link="", operation=CollisionObject.REMOVE)]
    assert not keeper.apply(scene(thing("c", operation=CollisionObject.REMOVE), attached=gone), home)
    assert "c" not in planner.scene.objects and not planner.scene.attached


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (held(link="panda_elbow"), MoveItErrorCode.INVALID_LINK_NAME),
        (held(touch=["panda_thumb"]), MoveItErrorCode.INVALID_LINK_NAME),
        (held(solids=()), MoveItErrorCode.INVALID_OBJECT_NAME),
        (held(operation=CollisionObject.REMOVE), MoveItErrorCode.INVALID_OBJECT_NAME),
        (held(operation=CollisionObject.MOVE), MoveItErrorCode.FAILURE),
        (held(frame="world"), MoveItErrorCode.FRAME_TRANSFORM_FAILURE),
    ],
)
def test_objects_that_cannot_be_held(planner, keeper, home, message, code):
    assert codes(keeper.apply(scene(attached=[message]), home)) == [code]
    assert not planner.scene.attached


def test_a_whole_scene_takes_the_place_of_the_old(planner, keeper, home):
    keeper.apply(scene(thing("old"), attached=[held()], allowed_collision_matrix=matrix(["old", TIP], [])), home)
    assert not keeper.apply(scene(thing("new"), is_diff=False), home)
    assert set(planner.scene.objects) == {"new"} and not planner.scene.attached
    assert not keeper.allowed.entries


def test_allowed_collisions_by_pair_and_by_default(planner, keeper, home):
    in_hand = thing("wall", tuple(planner.forward(home).pos_m[0]))
    keeper.apply(scene(in_hand), home)
    touching = {link for pair in planner.check_state(home).contacts for link in pair} - {"wall"}
    assert touching
    allowed = matrix(["wall", *touching], [{"wall", link} for link in touching])
    assert not keeper.apply(scene(allowed_collision_matrix=allowed), home)
    assert planner.check_state(home).valid
    told = scene_message(planner, keeper.allowed, home, 0).allowed_collision_matrix
    assert sorted(told.entry_names) == sorted(allowed.entry_names)
    assert not keeper.apply(scene(allowed_collision_matrix=matrix(["wall", "x"], [])), home)
    assert not planner.check_state(home).valid, "a matrix takes the place of the one before"
    default = AllowedCollisionMatrix(default_entry_names=["wall"], default_entry_values=[True])
    assert not keeper.apply(scene(allowed_collision_matrix=default), home)
    assert planner.check_state(home).valid
    crooked = AllowedCollisionMatrix(entry_names=["a", "b"], entry_values=[AllowedCollisionEntry(enabled=[True])])
    assert codes(keeper.apply(scene(allowed_collision_matrix=crooked), home)) == [MoveItErrorCode.FAILURE]
    uneven = AllowedCollisionMatrix(default_entry_names=["a"])
    assert codes(keeper.apply(scene(allowed_collision_matrix=uneven), home)) == [MoveItErrorCode.FAILURE]


def test_what_is_not_supported_is_said(keeper, home):
    message = scene(fixed_frame_transforms=[TransformStamped()], link_padding=[LinkPadding()])
    (problem,) = keeper.apply(message, home)
    assert "fixed_frame_transforms, link_padding cannot be changed here" in str(problem)


def test_a_difference_for_one_request_leaves_no_trace(planner, keeper, home):
    keeper.apply(scene(thing("stays"), attached=[held("grip")]), home)
    before = scene_message(planner, keeper.allowed, home, 0)
    lasting = keeper.lasting
    difference = scene(
        thing("stays", operation=CollisionObject.REMOVE),
        thing("short"),
        attached=[held("brief")],
        allowed_collision_matrix=matrix(["short", TIP], [{"short", TIP}]),
    )
    with keeper.changed(difference, RobotState(is_diff=True), home):
        assert set(planner.scene.objects) == {"short"} and set(planner.scene.attached) == {"grip", "brief"}
        assert keeper.allowed.entries
    assert scene_message(planner, keeper.allowed, home, 0) == before
    wrong = scene(thing("x"), thing("gone", operation=CollisionObject.REMOVE))
    with pytest.raises(PlanningError, match="gone"), keeper.changed(wrong, RobotState(), home):
        pass
    assert scene_message(planner, keeper.allowed, home, 0) == before
    assert keeper.lasting == lasting


def test_a_start_state_that_is_no_difference_holds_only_what_it_says(planner, keeper, home):
    keeper.apply(scene(attached=[held("grip")]), home)
    state = RobotState(attached_collision_objects=[held("other")])
    for is_diff, names in ((True, {"grip", "other"}), (False, {"other"})):
        state.is_diff = is_diff
        with keeper.changed(PlanningScene(), state, home):
            assert set(planner.scene.attached) == names
        assert set(planner.scene.attached) == {"grip"}
    with keeper.changed(PlanningScene(), RobotState(), home):
        assert set(planner.scene.attached) == {"grip"}, "an empty state is the current one"


def test_only_the_parts_that_were_asked_for(planner, keeper, home):
    keeper.apply(scene(thing("box"), attached=[held()]), home)
    parts = PlanningSceneComponents
    names = scene_message(planner, keeper.allowed, home, parts.WORLD_OBJECT_NAMES)
    assert names.world.collision_objects[0].id == "box" and not names.world.collision_objects[0].primitives
    assert not names.robot_state.joint_state.name
    state = scene_message(planner, keeper.allowed, home, parts.ROBOT_STATE)
    assert list(state.robot_state.joint_state.position) == home.tolist()
    assert not state.robot_state.attached_collision_objects and not state.world.collision_objects
    whole = scene_message(planner, keeper.allowed, home, 0)
    assert whole.robot_state.attached_collision_objects[0].link_name == TIP
    assert whole.robot_model_name == "twin"
