"""What a goal means, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import Pose
from moveit_msgs.msg import (
    Constraints,
    JointConstraint,
    OrientationConstraint,
    PositionConstraint,
    VisibilityConstraint,
)
from shape_msgs.msg import SolidPrimitive

from refinery.rotations import Poses
from refinery_ros.conversions import pose_message
from refinery_twin.move_group.goals import JointTarget, PoseTarget, read_target
from refinery_twin.planning import MoveItErrorCode, PlanningError

BASE, TIP = "panda_link0", "panda_hand_tcp"


def joints(*rows: tuple[str, float]) -> Constraints:
    return Constraints(
        joint_constraints=[
            JointConstraint(joint_name=name, position=value, tolerance_above=0.01, tolerance_below=0.02, weight=1.0)
            for name, value in rows
        ]
    )


def pose(at: Poses, *, frame: str = BASE, link: str = TIP, sizes=(0.001,), turn: float = 0.001) -> Constraints:
    message = pose_message(at)
    position, orientation = PositionConstraint(link_name=link), OrientationConstraint(link_name=link)
    position.header.frame_id = orientation.header.frame_id = frame
    kind = SolidPrimitive.SPHERE if len(sizes) == 1 else SolidPrimitive.BOX
    position.constraint_region.primitives = [SolidPrimitive(type=kind, dimensions=list(sizes))]
    position.constraint_region.primitive_poses = [Pose(position=message.position)]
    orientation.orientation = message.orientation
    for axis in "xyz":
        setattr(orientation, f"absolute_{axis}_axis_tolerance", turn)
    return Constraints(position_constraints=[position], orientation_constraints=[orientation])


def code(planner, constraints, home) -> MoveItErrorCode:
    with pytest.raises(PlanningError) as caught:
        read_target(planner, constraints, home)
    assert str(caught.value)
    return caught.value.code


def test_joints_without_a_constraint_stay_where_they_start(planner, home):
    target = read_target(planner, joints(("panda_joint2", 0.1), ("panda_joint7", 0.2)), home)
    assert isinstance(target, JointTarget)
    wanted = home.copy()
    wanted[[1, 6]] = 0.1, 0.2
    np.testing.assert_array_equal(target.goal().joints_rad, wanted)
    for offset, met in ((0.009, True), (0.011, False), (-0.019, True), (-0.021, False)):
        assert target.met(planner, wanted + offset * np.eye(7)[1]) is met
    assert target.met(planner, wanted + np.eye(7)[0]), "any first joint will do"


@pytest.mark.parametrize("sizes", [(0.001,), (0.002, 0.002, 0.002)])
def test_a_pose_is_aimed_at_its_middle_and_met_within_its_tolerances(planner, home, sizes):
    here = planner.forward(home)
    target = read_target(planner, pose(here, sizes=sizes), home)
    assert isinstance(target, PoseTarget)
    np.testing.assert_allclose(target.goal().pose.pos_m, here.pos_m)
    assert target.met(planner, home)
    assert not target.met(planner, home + 0.01 * np.eye(7)[0]), "5 mm aside"
    assert not target.met(planner, home + 0.003 * np.eye(7)[6]), "in place, but turned"


def test_frames_links_and_offsets(planner, home):
    here, flange = planner.forward(home), planner.forward(home, "panda_link8")
    target = read_target(planner, pose(flange.inverse() @ here, frame="panda_link8"), home)
    np.testing.assert_allclose(target.goal().pose.pos_m, here.pos_m, atol=1e-9)
    assert target.met(planner, home)
    offset = pose(here, link="panda_link8")
    relative = (flange.inverse() @ here).pos_m[0]
    vector = offset.position_constraints[0].target_point_offset
    vector.x, vector.y, vector.z = relative.tolist()
    quat = pose_message(flange).orientation
    offset.orientation_constraints[0].orientation = quat
    target = read_target(planner, offset, home)
    np.testing.assert_allclose(target.goal().pose.pos_m, flange.pos_m, atol=1e-9)
    assert target.met(planner, home)


def test_a_rotation_vector_measures_the_turn_differently(planner, home):
    constraints = pose(planner.forward(home), turn=0.5)
    constraints.orientation_constraints[0].parameterization = OrientationConstraint.ROTATION_VECTOR
    assert read_target(planner, constraints, home).met(planner, home)


def test_what_is_refused(planner, home):
    here = planner.forward(home)
    assert code(planner, joints(("elbow", 0.0)), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, joints(("panda_finger_joint1", 0.0)), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, joints(("panda_joint1", np.nan)), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    negative = joints(("panda_joint1", 0.0))
    negative.joint_constraints[0].tolerance_above = -0.1
    assert code(planner, negative, home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, Constraints(), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    blind = Constraints(visibility_constraints=[VisibilityConstraint()])
    assert code(planner, blind, home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    half = pose(here)
    half.orientation_constraints = []
    assert code(planner, half, home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    two = pose(here)
    two.orientation_constraints[0].link_name = "panda_link8"
    assert code(planner, two, home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, pose(here, sizes=(1e-7,)), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, pose(here, turn=0.0), home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    cylinder = pose(here)
    cylinder.position_constraints[0].constraint_region.primitives[0].type = SolidPrimitive.CYLINDER
    assert code(planner, cylinder, home) == MoveItErrorCode.INVALID_GOAL_CONSTRAINTS
    assert code(planner, pose(here, link=""), home) == MoveItErrorCode.INVALID_LINK_NAME
    assert code(planner, pose(here, frame=""), home) == MoveItErrorCode.FRAME_TRANSFORM_FAILURE
    assert code(planner, pose(here, frame="world"), home) == MoveItErrorCode.FRAME_TRANSFORM_FAILURE
