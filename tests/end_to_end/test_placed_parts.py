"""Placed parts as the assembly node says them, in the scene that the twin's move_group plans in."""

from __future__ import annotations

import numpy as np
import pytest

from refinery.bundle.part_file import load_bundled_part
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.sequence.bundles import bundled_tasks, shipped_bundles
from refinery.sequence.sequence import load_sequence
from refinery_assembly_node.placed_parts import placed_name, placed_parts
from refinery_twin.move_group.scene_keeper import SceneKeeper
from refinery_twin.planning import JointGoal, Planner

PROFILE = load_robot_profile("twin")
HOME = np.asarray(PROFILE.home_rad)
SHAFT = Poses.from_xyz_rpy([0.5, 0.0, 0.15], [0.0, 0.0, 0.0])
PART = "shaft_left"


@pytest.fixture(scope="module")
def shapes() -> dict[str, PartGeometry]:
    sequence = load_sequence("gearbox")
    bundles = {task.name: (path, task) for path, task in bundled_tasks(sequence, shipped_bundles()).items()}
    return {step.part: load_bundled_part(*bundles[step.task]) for step in sequence.steps}


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(PROFILE)


def beside(kinematics: ArmKinematics, aside_m: float) -> np.ndarray:
    """Joints with the fingertips beside the shaft, half way up."""
    tool = Poses.from_xyz_rpy(SHAFT.pos_m[0] + [0.0, aside_m, 0.03], [np.pi, 0.0, 0.0])
    joints, solved = kinematics.inverse(tool, HOME)
    assert solved[0]
    return np.asarray(joints[0])


def test_a_way_through_a_placed_part_is_refused_and_another_one_found(
    shapes: dict[str, PartGeometry], planner: Planner
) -> None:
    kinematics, keeper = PROFILE.arm_kinematics(), SceneKeeper(planner)
    begin, end = beside(kinematics, -0.12), beside(kinematics, 0.12)
    across = kinematics.forward(end)
    assert not keeper.apply(placed_parts(shapes, {}, PROFILE.base_frame), HOME)
    assert not planner.scene.objects
    assert planner.cartesian(begin, across).fraction == 1.0
    assert not keeper.apply(placed_parts(shapes, {PART: SHAFT}, PROFILE.base_frame), HOME)
    assert set(planner.scene.objects) == {placed_name(PART)}
    np.testing.assert_allclose(planner.scene.objects[placed_name(PART)].pose.pos_m, SHAFT.pos_m)
    assert planner.cartesian(begin, across).fraction < 0.7
    path = planner.plan(begin, JointGoal(joints_rad=end))
    assert all(planner.check_state(joints).valid for joints in path.positions_rad)
    # Away again, as in a new run: nothing of the last one stays in the way.
    assert not keeper.apply(placed_parts(shapes, {}, PROFILE.base_frame), HOME)
    assert planner.cartesian(begin, across).fraction == 1.0


def test_the_open_hand_has_room_at_every_seat_of_the_gearbox(shapes: dict[str, PartGeometry], planner: Planner) -> None:
    """Otherwise no part could be let go of: the arm would stand in collision with the parts placed before."""
    sequence, keeper, kinematics = load_sequence("gearbox"), SceneKeeper(planner), PROFILE.arm_kinematics()
    tasks = {task.name: task for task in bundled_tasks(sequence, shipped_bundles()).values()}
    base, placed = sequence.base.nominal_pose(), dict[str, Poses]()
    for step in sequence.steps:
        assert not keeper.apply(placed_parts(shapes, placed, PROFILE.base_frame), HOME)
        seat = base @ sequence.nominal_seats()[step.part]
        joints, solved = kinematics.inverse(seat @ tasks[step.task].plug.tool_from_plug.inverse(), HOME)
        assert solved[0]
        planner.scene.open_fingers(step.grasp.open_m / 2)
        assert planner.check_state(joints[0]).valid, step.name
        placed[step.part] = seat
