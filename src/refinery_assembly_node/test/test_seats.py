"""Seats: relative to what they say, in the allowed turn nearest to the tray's; seeds that depend on nothing else."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from refinery.rotations import Poses
from refinery.sequence.sequence import Sequence
from refinery.sequence.step import SocketPlaceSpec, StepSpec, TraySpec
from refinery_assembly_node.seats import as_if_unturned, draw_seed, facing, pose_numbers, pose_of, seat_of

BASE = Poses.from_xyz_rpy([0.5, 0.1, 0.1], [0.0, 0.0, 0.3])
SITTING = {"block": Poses.from_xyz_rpy([0.51, 0.1, 0.085], [0.0, 0.0, 0.31])}


@pytest.fixture
def step(sequence: Sequence) -> StepSpec:
    """A square part, which sits in four ways."""
    quarter = math.pi / 2
    return dataclasses.replace(sequence.steps[1], seats_rad=(0.0, quarter, -quarter, math.pi))


@pytest.mark.parametrize(
    ("mode", "part", "parent"),
    [("fixed", "", None), ("frame", "", BASE), ("part", "block", SITTING["block"])],
)
def test_a_seat_is_relative_to_what_its_mode_says(step: StepSpec, mode: str, part: str, parent: Poses | None) -> None:
    place = SocketPlaceSpec(mode=mode, part=part, xyz_m=(0.01, 0.02, 0.03), yaw_rad=0.2)
    seat = seat_of(dataclasses.replace(step, socket=place), BASE, SITTING)
    expected = place.pose() if parent is None else parent @ place.pose()
    np.testing.assert_allclose(seat.pos_m, expected.pos_m)
    assert (seat.rotation.inv() * expected.rotation).magnitude()[0] < 1e-9


@pytest.mark.parametrize(
    ("tray_rad", "turn_rad"), [(0.0, 0.0), (1.5, math.pi / 2), (-1.5, -math.pi / 2), (3.0, math.pi)]
)
def test_the_nearest_turn_is_taken_and_taken_back(step: StepSpec, tray_rad: float, turn_rad: float) -> None:
    step = dataclasses.replace(step, tray=TraySpec(xyz_m=(0.4, -0.2, 0.06), yaw_rad=tray_rad))
    seat = Poses.from_xyz_rpy([0.5, 0.1, 0.1], [0.0, 0.0, 0.1])
    turned = facing(seat, step)
    assert (seat.rotation.inv() * turned.rotation).as_rotvec()[0, 2] == pytest.approx(turn_rad)
    # A part that was inserted turned tells where one sits on it as if it were not.
    back = as_if_unturned(turned, seat, step)
    assert (seat.rotation.inv() * back.rotation).magnitude()[0] < 1e-9


def test_seeds_depend_on_run_step_attempt_and_purpose_alone() -> None:
    ways = [(1, 0, 1, "place"), (2, 0, 1, "place"), (1, 1, 1, "place"), (1, 0, 2, "place"), (1, 0, 1, "other")]
    seeds = [draw_seed(*way) for way in ways]
    assert seeds == [draw_seed(*way) for way in ways]
    assert len(set(seeds)) == len(ways)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_pose_survives_the_journal() -> None:
    again = pose_of(pose_numbers(BASE))
    np.testing.assert_array_equal(again.pos_m, BASE.pos_m)
    np.testing.assert_allclose(again.quat_xyzw, BASE.quat_xyzw, atol=1e-15)
