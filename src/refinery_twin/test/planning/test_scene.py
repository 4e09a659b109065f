"""Objects come, move, are taken into the hand and go, and the verdicts follow; whatever makes no sense is refused."""

from __future__ import annotations

import numpy as np
import pytest
from planning.cases import HAND, HOME, at, batch, down, refused, turned

from refinery.errors import ConfigError
from refinery.rotations import Poses, angle_between_rad
from refinery_twin.planning import (
    AttachedObject,
    Box,
    Cylinder,
    Mesh,
    MoveItErrorCode,
    Planner,
    SceneObject,
    Shape,
    Sphere,
)

CUBE = Mesh(
    vertices_m=np.array([[x, y, z] for x in (-0.05, 0.05) for y in (-0.05, 0.05) for z in (-0.05, 0.05)]),
    triangles=np.array(
        [0, 1, 3, 0, 3, 2, 4, 6, 7, 4, 7, 5, 0, 4, 5, 0, 5, 1, 2, 3, 7, 2, 7, 6, 0, 2, 6, 0, 6, 4, 1, 5, 7, 1, 7, 3]
    ).reshape(-1, 3),
)
SHAPES = [Box(size_m=(0.1, 0.1, 0.1)), Cylinder(radius_m=0.05, height_m=0.1), Sphere(radius_m=0.05), CUBE]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_every_shape_collides_where_it_is_and_nowhere_else(planner: Planner, shape: Shape) -> None:
    home = HOME
    planner.scene.open_fingers(0.0)
    tool = planner.forward(home).pos_m[0]
    planner.scene.add(SceneObject.single("thing", shape, at(*tool)))
    validity = planner.check_state(home)
    assert not validity.valid and "thing" in validity.reason
    assert {"thing"} == {name for pair in validity.contacts for name in pair if not name.startswith("panda")}
    # Its half height below the fingertips (and their padding), and then out of the way.
    planner.scene.move("thing", at(tool[0], tool[1], tool[2] - 0.07))
    assert planner.check_state(home).valid
    planner.scene.move("thing", at(tool[0], tool[1], tool[2] - 0.055))
    assert not planner.check_state(home).valid
    planner.scene.remove("thing")
    assert planner.check_state(home).valid and not planner.scene.objects


def test_a_solid_inside_an_object_has_its_own_pose(planner: Planner) -> None:
    home = HOME
    planner.scene.open_fingers(0.0)
    tool = planner.forward(home).pos_m[0]
    shapes, both = (Sphere(radius_m=0.02), Sphere(radius_m=0.02)), batch([at(0.0, 0.0, 0.0), at(0.3, 0.0, 0.0)])
    # Turned by a quarter about z, the second ball is 0.3 m along y of the first.
    pose = at(tool[0], tool[1] - 0.3, tool[2], yaw=np.pi / 2)
    planner.scene.add(SceneObject(name="dumbbell", shapes=shapes, shape_poses=both, pose=pose))
    assert not planner.check_state(home).valid


def test_a_held_part_moves_with_the_hand(planner: Planner) -> None:
    home, scene = HOME, planner.scene
    tool = planner.forward(home)
    rod = SceneObject.single("rod", Cylinder(radius_m=0.005, height_m=0.2), at(*tool.pos_m[0]))
    scene.open_fingers(0.01)
    scene.add(rod)
    scene.attach_from_world("rod", "panda_hand", HAND, home)
    assert planner.check_state(home).valid and set(scene.attached) == {"rod"} and not scene.objects
    away = turned(0.4)
    below = planner.forward(away) @ at(0.0, 0.0, 0.09)
    scene.add(SceneObject.single("block", Box(size_m=(0.02, 0.02, 0.01)), below))
    assert planner.check_state(away).contacts == (("block", "rod"),)
    assert planner.check_state(home).valid
    scene.allow("rod", "block")
    assert planner.check_state(away).valid
    scene.allow("block", "rod", allowed=False)
    assert not planner.check_state(away).valid
    scene.detach("rod", away)
    left = scene.objects["rod"].pose
    np.testing.assert_allclose(left.pos_m, planner.forward(away).pos_m, atol=1e-9)
    turn = (planner.forward(away).rotation * tool.rotation.inv() * rod.pose.rotation).as_quat()
    assert angle_between_rad(left.quat_xyzw, turn)[0] < 1e-6
    # Nothing holds it any more: the hand is around it.
    assert any("rod" in pair and set(pair) & set(HAND) for pair in planner.check_state(away).contacts)


def test_a_part_may_touch_what_it_was_given_and_nothing_else(planner: Planner) -> None:
    home = HOME
    wide = SceneObject.single("wide", Box(size_m=(0.02, 0.2, 0.02)), at(0.0, 0.0, 0.1))
    planner.scene.attach(AttachedObject(link="panda_hand", object=wide, touch_links=("panda_leftfinger",)))
    assert planner.check_state(home).contacts == (("panda_rightfinger", "wide"),)
    planner.scene.attach(AttachedObject(link="panda_hand", object=wide, touch_links=HAND))
    assert planner.check_state(home).valid
    planner.scene.detach("", home, keep=False)
    assert not planner.scene.attached and not planner.scene.objects


def test_poses_are_understood_in_every_frame(planner: Planner) -> None:
    home = HOME
    planner.scene.add(SceneObject.single("crate", SHAPES[0], at(1.0, 0.2, 0.1, yaw=0.5)))
    part = SceneObject.single("part", SHAPES[0], at(0.0, 0.0, 0.1))
    planner.scene.attach(AttachedObject(link="panda_hand", object=part, touch_links=HAND))
    here = at(0.01, 0.02, 0.03)
    for frame, pose in {
        "": here,
        "panda_link0": here,
        "panda_hand_tcp": planner.forward(home) @ here,
        "crate": at(1.0, 0.2, 0.1, yaw=0.5) @ here,
        "part": planner.forward(home, "panda_hand") @ at(0.0, 0.0, 0.1) @ here,
    }.items():
        np.testing.assert_allclose(planner.in_base(frame, here, home).pos_m, pose.pos_m, atol=1e-9)
    with refused(MoveItErrorCode.FRAME_TRANSFORM_FAILURE, "expected one of the frames .*crate.*, got 'map'"):
        planner.in_base("map", here, home)
    with refused(MoveItErrorCode.FRAME_TRANSFORM_FAILURE, "unit quaternions"):
        planner.in_base("", Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.zeros((1, 4))), home)


def test_a_scene_can_be_made_again_what_it_was(planner: Planner) -> None:
    scene = planner.scene
    scene.add(SceneObject.single("block", SHAPES[0], down(0.5, 0.0, 0.2)))
    rod = SceneObject.single("rod", SHAPES[0], at(0.0, 0.0, 0.05))
    scene.attach(AttachedObject(link="panda_hand", object=rod, touch_links=()))
    scene.allow("block", "panda_link7")
    verdict, before = scene.world.contacts(HOME), scene.snapshot()
    for _ in range(2):
        scene.clear()
        scene.open_fingers(0.0)
        scene.add(SceneObject.single("other", SHAPES[0], at(0.0, 0.5, 0.2)))
        scene.restore(before)
        assert scene.snapshot() == before and (set(scene.objects), set(scene.attached)) == ({"block"}, {"rod"})
        assert scene.fingers_m == 0.04 and scene.world.contacts(HOME) == verdict


def test_what_makes_no_sense_is_refused(planner: Planner) -> None:
    scene, home = planner.scene, HOME
    thing = SceneObject.single("thing", SHAPES[0], down(0.5, 0.0, 0.2))
    with refused(MoveItErrorCode.INVALID_OBJECT_NAME, "'panda_hand', which is a link"):
        scene.add(SceneObject.single("panda_hand", SHAPES[0], at(1.0, 0.0, 0.0)))
    for action in (
        lambda: scene.remove("thing"),
        lambda: scene.move("thing", at(0.0, 0.0, 0.0)),
        lambda: scene.detach("thing", home),
        lambda: scene.attach_from_world("thing", "panda_hand", (), home),
    ):
        with refused(MoveItErrorCode.INVALID_OBJECT_NAME, "got 'thing'"):
            action()
    with refused(MoveItErrorCode.INVALID_LINK_NAME, "got 'gripper'"):
        scene.attach(AttachedObject(link="gripper", object=thing, touch_links=()))
    with refused(MoveItErrorCode.INVALID_LINK_NAME, "got 'gripper'"):
        scene.attach(AttachedObject(link="panda_hand", object=thing, touch_links=("gripper",)))
    with refused(MoveItErrorCode.INVALID_ROBOT_STATE, "expected fingers at 0 to 0.04 m, got 0.1 m"):
        scene.open_fingers(0.1)
    with refused(MoveItErrorCode.INVALID_GROUP_NAME, "'panda_arm', got 'left_arm'"):
        planner.check_group("left_arm")
    planner.check_group("panda_arm")
    assert not scene.objects and not scene.attached


@pytest.mark.parametrize(
    "make",
    [
        lambda: Box(size_m=(0.1, 0.0, 0.1)),
        lambda: Sphere(radius_m=-1.0),
        lambda: Cylinder(radius_m=0.1, height_m=0.0),
        lambda: Mesh(vertices_m=np.zeros((3, 3)), triangles=np.array([[0, 1, 3]])),
        lambda: Mesh(vertices_m=np.full((3, 3), np.nan), triangles=np.array([[0, 1, 2]])),
        lambda: SceneObject(name="", shapes=(SHAPES[0],), shape_poses=at(0, 0, 0), pose=at(0, 0, 0)),
        lambda: SceneObject(name="a", shapes=(), shape_poses=at(0, 0, 0), pose=at(0, 0, 0)),
    ],
)
def test_impossible_objects_are_refused(make: object) -> None:
    with pytest.raises(ConfigError):
        make()  # type: ignore[operator]
