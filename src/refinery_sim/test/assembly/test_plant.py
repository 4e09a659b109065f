"""The plant of an assembly: parts are taken as flat pads take them, let go where they are, and carry errors over."""

import numpy as np
import pytest
from assemblies import BASE, BLOCK, KEY, upright

from refinery.errors import RefineryError
from refinery.initial_state import grasp_offset, tool_pose
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses, angle_between_rad
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_sim.plant import Mode, Plant

PROFILE = load_robot_profile("twin")
EPSILON_M = (0.002, 0.002)
AS_INTENDED = np.zeros((1, 3))


@pytest.fixture(scope="module")
def shared():
    return AssemblyPlant([BLOCK, KEY], BASE, PROFILE.home_rad)


@pytest.fixture
def plant(shared):
    shared.reset(socket=BASE.pose)
    return shared


def joints_for(tool):
    joints, reached = PROFILE.arm_kinematics().inverse(tool, PROFILE.home_rad)
    assert reached.all()
    return joints[0]


def hold_over_seat(plant, part, *, height_m, grasp=AS_INTENDED, shift_m=(0.0, 0.0)):
    """Put a part into the hand and over its seat."""
    theta = np.array([[*shift_m, height_m, 0, 0, 0, *grasp[0]]])
    plant.move_arm(joints_for(tool_pose(plant.seat(part.name), theta, part.task.plug.tool_from_plug)))
    plant.hold(part.name, grasp)


def insert(plant, part, seconds=2.5):
    """Push the held part down over its seat; the target leans against what is off, as a policy's does."""
    goal = tool_pose(plant.seat(part.name), np.zeros((1, 9)), part.task.plug.tool_from_plug)
    plant.set_mode(Mode.IMPEDANCE)
    lean = np.zeros((1, 3))
    for _ in range(round(seconds * 15)):
        lean += 0.15 * (goal.pos_m - plant.tool.pos_m)
        pos = goal.pos_m + lean
        pos[:, 2] = plant.tool.pos_m[:, 2] - 0.012
        plant.set_target(Poses(pos_m=pos, quat_xyzw=goal.quat_xyzw))
        plant.step(66)


def distance_m(a, b):
    return float(np.linalg.norm(a.pos_m - b.pos_m))


def test_parts_rest_in_their_trays(plant):
    before = plant.part_poses()
    plant.step(500)
    for name, pose in plant.part_poses().items():
        assert distance_m(pose, before[name]) < 1e-5, name
        assert not plant.truth(name).seated


def test_pads_centre_y_and_align_roll_and_yaw_and_leave_x_z_and_pitch(plant):
    off = Poses.from_xyz_rpy((0.001, 0.002, -0.0015), (0.0, 0.03, 0.1))
    plug = BLOCK.task.plug
    plant.put({"block": plant.part_pose("block") @ upright(0, 0, 0.03)})
    plant.move_arm(joints_for(plant.part_pose("block") @ plug.tool_from_plug.inverse() @ off.inverse()))
    found = plant.close(0.03, EPSILON_M)
    assert found.success and found.part == plant.held == "block"
    assert found.width_m == plant.gripper_width_m == pytest.approx(0.03)
    # A turn by yaw about a tilted axis moves a little of one into the other.
    np.testing.assert_allclose(found.grasp, [[0.001, -0.0015, 0.03]], atol=2e-4)
    want = plant.tool @ grasp_offset(found.grasp) @ plug.tool_from_plug
    assert distance_m(plant.plug, want) < 1e-9
    assert angle_between_rad(plant.plug.quat_xyzw, want.quat_xyzw)[0] < 1e-6


def test_a_part_of_another_width_is_refused_and_stays(plant):
    plug = BLOCK.task.plug
    plant.move_arm(joints_for(plant.part_pose("block") @ plug.tool_from_plug.inverse()))
    found = plant.close(0.027, EPSILON_M)
    assert not found.success and found.part == "block" and plant.held is None
    assert plant.gripper_width_m == pytest.approx(0.03)
    assert distance_m(plant.part_pose("block"), BLOCK.tray) < 1e-4


def test_closing_on_nothing_holds_nothing(plant):
    found = plant.close(0.03, EPSILON_M)
    assert (found.success, found.part, found.width_m, plant.held) == (False, None, 0.0, None)


def test_a_part_turned_half_round_is_taken_if_it_looks_the_same(plant):
    for part, turned in ((KEY, True), (BLOCK, False)):
        plant.open(0.06)
        here = plant.part_pose(part.name) @ upright(0, 0, 0, np.pi)
        plant.put({part.name: here})
        plant.move_arm(joints_for(part.tray @ part.task.plug.tool_from_plug.inverse()))
        found = plant.close(0.0186 if turned else 0.03, EPSILON_M)
        assert found.success is turned, part.name
        assert distance_m(plant.part_pose(part.name), here) < 1e-6
        assert angle_between_rad(plant.part_pose(part.name).quat_xyzw, here.quat_xyzw)[0] < 1e-5


def test_taking_and_letting_go_moves_neither_the_arm_nor_other_parts(plant):
    hold_over_seat(plant, BLOCK, height_m=0.05)
    plant.set_mode(Mode.IMPEDANCE)
    plant.set_target(Poses(pos_m=np.add(plant.tool.pos_m, [0.005, 0, 0]), quat_xyzw=plant.tool.quat_xyzw))
    plant.step(100)
    joints, speed, key, block = (
        plant.joints_rad.copy(),
        plant.joint_velocities_rad_s.copy(),
        plant.part_pose("key"),
        plant.part_pose("block"),
    )
    steps = plant.steps
    plant.open(0.04)
    assert plant.held is None and plant.mode is Mode.IMPEDANCE and plant.steps == steps
    np.testing.assert_array_equal(plant.joints_rad, joints)
    np.testing.assert_array_equal(plant.joint_velocities_rad_s, speed)
    assert distance_m(plant.part_pose("key"), key) == 0
    assert distance_m(plant.part_pose("block"), block) < 1e-12
    assert speed.any()


def test_a_released_part_falls_and_opening_no_wider_lets_nothing_go(plant):
    hold_over_seat(plant, BLOCK, height_m=0.05)
    plant.open(plant.gripper_width_m)
    assert plant.held == "block"
    plant.open(0.045)
    height = plant.part_pose("block").pos_m[0, 2]
    plant.step(300)
    assert plant.part_pose("block").pos_m[0, 2] < height - 0.02


def test_two_parts_go_in_one_after_the_other_and_what_the_first_is_off_the_second_finds(plant):
    hold_over_seat(plant, BLOCK, height_m=0.014, shift_m=(0.0003, 0.0))
    insert(plant, BLOCK, seconds=1.5)
    plant.open(plant.gripper_width_m + 0.01)
    plant.step(300)
    block = plant.truth("block")
    assert block.seated and block.depth_m == pytest.approx(0.015, abs=1e-4)
    assert 1e-5 < block.offset.lateral_m[0] < 0.0006
    plant.set_mode(Mode.TRAJECTORY)
    seat = plant.seat("key")
    want = plant.part_pose("block") @ KEY.seat
    assert distance_m(seat, want) == 0 and distance_m(seat, BASE.pose @ BLOCK.seat @ KEY.seat) > 1e-5
    hold_over_seat(plant, KEY, height_m=0.036)
    assert distance_m(plant.socket, seat) < 1e-5
    insert(plant, KEY)
    plant.open(plant.gripper_width_m + 0.01)
    plant.step(300)
    assert plant.truth("key").seated and plant.truth("block").seated


def test_a_held_part_feels_what_it_presses_on_as_in_the_plant_of_its_task(plant):
    single = Plant(BLOCK.task, PROFILE.home_rad)
    single.reset(socket=BASE.pose @ BLOCK.seat)
    hold_over_seat(plant, BLOCK, height_m=0.001)
    single.move_arm(plant.joints_rad)
    forces = []
    for cell in (plant, single):
        cell.set_mode(Mode.IMPEDANCE)
        for _ in range(20):
            cell.set_target(Poses(pos_m=cell.tool.pos_m - [[0, 0, 0.01]], quat_xyzw=cell.tool.quat_xyzw))
            cell.step(66)
        forces.append(cell.external_wrench[2])
    assert forces[0] == pytest.approx(6.0, rel=0.05)
    assert forces[0] == pytest.approx(forces[1], rel=0.01)


def test_parts_rest_in_a_base_that_was_moved(plant):
    moved = BASE.pose @ upright(0.02, -0.01, 0.0, 0.1)
    plant.reset(socket=moved)
    plant.put({part.name: seat for part, seat in ((BLOCK, moved @ BLOCK.seat), (KEY, moved @ BLOCK.seat @ KEY.seat))})
    assert plant.settle(1.0)
    assert plant.truth("block").seated and plant.truth("key").seated
    assert distance_m(plant.part_pose("block"), moved @ BLOCK.seat) < 1e-4
    # Static bodies stay where they are through a change of hands.
    hold_over_seat(plant, BLOCK, height_m=0.03)
    assert distance_m(plant.socket, moved @ BLOCK.seat) == 0


def test_fingers_push_a_part_that_stands_in_their_way(plant):
    plant.open(0.02)
    plant.move_arm(joints_for(upright(-0.02, 0, 0) @ KEY.tray @ KEY.task.plug.tool_from_plug.inverse()))
    # The tip of the finger on +y is over y from 10 to 24 mm there, the key's edge under it.
    beside = KEY.tray @ upright(-0.006, 0.0095, 0.0)
    plant.put({"key": beside})
    plant.step(100)
    assert distance_m(plant.part_pose("key"), beside) > 0.001


def test_what_cannot_be_done_is_refused(plant):
    with pytest.raises(RefineryError, match=r"expected a width in \[0, 0\.08\] m"):
        plant.open(0.09)
    with pytest.raises(RefineryError, match="expected no grasp"):
        plant.reset(grasp=AS_INTENDED)
    plant.hold("key", AS_INTENDED)
    with pytest.raises(RefineryError, match="holds key"):
        plant.close(0.03, EPSILON_M)
    with pytest.raises(RefineryError, match="expected an empty one"):
        plant.hold("block", AS_INTENDED)
    with pytest.raises(RefineryError, match=r"expected one that is free \(block\)"):
        plant.put({"key": KEY.tray})


def test_equal_commands_give_equal_assemblies(plant):
    ends = []
    for _ in range(2):
        plant.reset(socket=BASE.pose)
        hold_over_seat(plant, BLOCK, height_m=0.014)
        insert(plant, BLOCK, seconds=1.0)
        plant.open(0.04)
        plant.step(100)
        ends.append(plant.part_pose("block"))
    np.testing.assert_array_equal(ends[0].pos_m, ends[1].pos_m)


@pytest.mark.parametrize(("force_n", "dropped"), [(5.0, True), (7.0, False)])
def test_a_part_slips_out_of_jaws_that_press_it_with_too_little(plant, force_n, dropped):
    beside = BASE.pose @ upright(0.042, 0.0, 0.002)
    plant.move_arm(joints_for(beside @ KEY.task.plug.tool_from_plug.inverse()))
    plant.hold("key", AS_INTENDED, force_n)
    plant.set_mode(Mode.IMPEDANCE)
    for _ in range(30):
        plant.set_target(Poses(pos_m=plant.tool.pos_m - [[0, 0, 0.01]], quat_xyzw=plant.tool.quat_xyzw))
        plant.step(66)
    # Pressed with 6 N against its weight of 1.3 N; two pads of friction 0.4 hold 4.0 and 5.6 N.
    assert (plant.held is None) is dropped
    if not dropped:
        assert plant.pad_load_n == pytest.approx(4.7, abs=0.3)
        return
    assert plant.gripper_width_m == 0.0 and plant.pad_load_n == 0.0
    assert not plant.truth("key").seated
    # Opened and led away, the hand leaves it behind.
    plant.open(0.04)
    plant.set_mode(Mode.TRAJECTORY)
    plant.move_arm(joints_for(Poses(pos_m=np.add(plant.tool.pos_m, [0, 0, 0.1]), quat_xyzw=plant.tool.quat_xyzw)))
    plant.step(300)
    assert distance_m(plant.part_pose("key"), beside) < 0.08


def test_a_load_drops_nothing_at_once(plant):
    # Its weight of 3.3 N is more than the 2.4 N of the pads.
    plant.hold("block", AS_INTENDED, 3.0)
    plant.step(100)
    assert plant.held == "block"
    plant.step(300)
    assert plant.held is None
