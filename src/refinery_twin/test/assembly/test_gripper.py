"""The jaws take time and one command at a time; parts stand in trays, are taken and let go."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from refinery.errors import RefineryError
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.sequence.sequence import load_sequence
from refinery_sim.assembly.grasping import MAX_WIDTH_M
from refinery_sim.task import named_task
from refinery_twin.assembly.cell import AssemblyCell
from refinery_twin.assembly.gripper import Gripper, JawAction, JawCommand

BLOCK = JawCommand(action=JawAction.GRASP, width_m=0.03, speed_m_s=0.1, epsilon_m=(0.002, 0.002))


@pytest.fixture(scope="module")
def cell() -> AssemblyCell:
    """Block and key in their trays."""
    sequence = load_sequence("block_key")
    tasks = {step.task: named_task(step.task) for step in sequence.steps}
    return AssemblyCell(sequence, tasks, load_robot_profile("twin"), 5)


@pytest.fixture
def gripper(cell: AssemblyCell) -> Gripper:
    """The jaws of the cell at the start of a trial."""
    cell.start_trial(5, np.zeros((1, 3)))
    return Gripper(cell.plant)


def reach(cell: AssemblyCell, part: str) -> None:
    """Put the tool where the part is held as its tray says."""
    spec = cell.plant.parts[part]
    tool = spec.tray @ spec.task.plug.tool_from_plug.inverse()
    joints, solved = load_robot_profile("twin").arm_kinematics().inverse(tool, cell.plant.joints_rad.copy())
    assert solved[0]
    cell.plant.move_arm(joints[0])


def done(cell: AssemblyCell, gripper: Gripper) -> tuple[bool, str]:
    """Step until the command ends."""
    for _ in range(300):
        cell.step(10)
        if (ended := gripper.update()) is not None:
            return ended
    raise AssertionError("the command did not end within 3 s")


def test_equal_seeds_make_equal_cells_and_other_seeds_others(cell: AssemblyCell) -> None:
    def drawn(seed: int) -> list[np.ndarray]:
        cell.start_trial(seed, np.zeros((1, 3)))
        return [cell.plant.base.pos_m, *(pose.pos_m for pose in cell.plant.part_poses().values())]

    first, again, other = drawn(7), drawn(7), drawn(8)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first, other, strict=True))
    away = [np.abs(pose.pos_m - part.tray.pos_m).max() for pose, part in
            zip(cell.plant.part_poses().values(), cell.plant.parts.values(), strict=True)]  # fmt: skip
    assert 0 < max(away) <= cell.sequence.tray_error.xy_m + 1e-9


def test_a_part_is_taken_and_let_go(cell: AssemblyCell, gripper: Gripper) -> None:
    reach(cell, "block")
    gripper.begin(BLOCK)
    begun_s = cell.plant.time_s
    assert done(cell, gripper) == (True, "")
    assert cell.plant.time_s - begun_s == pytest.approx((MAX_WIDTH_M - 0.03) / 0.1, abs=0.02)
    assert cell.plant.held == "block" and gripper.width_m == pytest.approx(0.03)
    with pytest.raises(RefineryError, match="holds block already"):
        gripper.begin(BLOCK)
    gripper.begin(JawCommand(action=JawAction.MOVE, width_m=0.04, speed_m_s=0.1))
    assert done(cell, gripper) == (True, "")
    assert cell.plant.held is None and gripper.width_m == pytest.approx(0.04)
    cell.step(300)
    assert np.abs(cell.plant.part_pose("block").pos_m - cell.plant.parts["block"].tray.pos_m).max() < 0.002


def test_a_part_of_another_width_is_refused(cell: AssemblyCell, gripper: Gripper) -> None:
    reach(cell, "key")
    gripper.begin(BLOCK)
    success, sentence = done(cell, gripper)
    assert not success and "expected a part 30.0 mm wide" in sentence
    assert cell.plant.held is None


def test_jaws_that_close_on_nothing_close_entirely(cell: AssemblyCell, gripper: Gripper) -> None:
    gripper.begin(BLOCK)
    assert not done(cell, gripper)[0]
    assert gripper.width_m == 0.0


def test_one_command_at_a_time_which_stops_where_it_is(cell: AssemblyCell, gripper: Gripper) -> None:
    gripper.begin(JawCommand(action=JawAction.MOVE, width_m=0.0, speed_m_s=0.05))
    with pytest.raises(RefineryError, match="in progress"):
        gripper.begin(JawCommand(action=JawAction.HOMING))
    cell.step(800)
    assert gripper.update() is None
    assert gripper.stop() and not gripper.stop()
    assert gripper.width_m == pytest.approx(0.04, abs=1e-3)
    gripper.begin(JawCommand(action=JawAction.HOMING))
    assert done(cell, gripper) == (True, "")
    assert gripper.width_m == MAX_WIDTH_M


@pytest.mark.parametrize(("width_m", "speed_m_s"), [(0.09, 0.1), (-0.01, 0.1), (0.04, 0.0), (0.04, 1.0)])
def test_numbers_out_of_range_are_refused(gripper: Gripper, width_m: float, speed_m_s: float) -> None:
    with pytest.raises(RefineryError):
        gripper.begin(JawCommand(action=JawAction.MOVE, width_m=width_m, speed_m_s=speed_m_s))
    assert not gripper.busy


def test_estimates_are_of_the_base(cell: AssemblyCell, gripper: Gripper) -> None:
    estimates = np.vstack([cell.trial.estimate(cell.plant.time_s + 0.04 * i).pos_m for i in range(200)])
    assert isinstance(cell.plant.base, Poses)
    assert np.abs(estimates.mean(axis=0) - cell.plant.base.pos_m[0]).max() < 0.0015


def test_a_part_that_is_held_too_weakly_slips_out_and_the_jaws_shut(cell: AssemblyCell, gripper: Gripper) -> None:
    reach(cell, "block")
    gripper.begin(dataclasses.replace(BLOCK, force_n=3.0))
    assert done(cell, gripper) == (True, "")
    # Its weight, 3.3 N, is more than the 2.4 N that the pads carry.
    cell.step(400)
    assert cell.plant.held is None and gripper.width_m == 0.0
    with pytest.raises(RefineryError, match=r"force: expected a force in \(0, 70\] N"):
        gripper.begin(dataclasses.replace(BLOCK, force_n=71.0))
