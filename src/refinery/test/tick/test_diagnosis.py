"""Where a plug ended, in codes and in words."""

import numpy as np
import pytest

from refinery.part import PartGeometry
from refinery.rotations import Poses
from refinery.testing.parts import plain_part
from refinery.tick.diagnosis import Place, diagnose

SOCKET = Poses.from_xyz_rpy((0.5, 0.1, 0.1), (0.0, 0.0, 0.3))
WRENCH = (1.0, -2.0, 2.0, 0.1, 0.2, 0.3)


@pytest.fixture(scope="module")
def part(task) -> PartGeometry:
    return plain_part(task)


def found(
    task, part, xyz_m=(0.0, 0.0, 0.0), rpy_rad=(0.0, 0.0, 0.0), *, seated=False, start=(0.0, 0.0, 0.035), yaw=0.0
):
    return diagnose(
        task,
        part,
        socket=SOCKET,
        plug=SOCKET @ Poses.from_xyz_rpy(xyz_m, rpy_rad),
        seated=seated,
        wrench=WRENCH,
        start=SOCKET @ Poses.from_xyz_rpy(start, (0.0, 0.0, yaw)),
        grasp=np.zeros((1, 3)),
    )


@pytest.mark.parametrize(
    ("height_m", "tilt_rad", "seated", "place"),
    [
        (0.0, 0.0, True, Place.SEATED),
        (0.010, 0.0, False, Place.PARTLY_IN),
        (0.0255, 0.0, False, Place.ON_RIM),
        # Its tip is over the rim by half its diagonal times the tilt, and yet a corner stands on it.
        (0.0270, 0.3, False, Place.ON_RIM),
        (0.0290, 0.0, False, Place.ABOVE),
        (0.0001, 0.0, False, Place.PARTLY_IN),
    ],
)
def test_the_place_is_told_by_the_lowest_corner(task, part, height_m, tilt_rad, seated, place):
    assert found(task, part, (0.0, 0.0, height_m), (tilt_rad, 0.0, 0.0), seated=seated).place is place


def test_offsets_are_along_the_sockets_axes_and_the_turn_is_signed(task, part):
    one = found(task, part, (0.001, -0.002, 0.0255), (0.0, 0.0, -0.2))
    assert (one.x_m, one.y_m) == pytest.approx((0.001, -0.002))
    assert one.turn_rad == pytest.approx(-0.2) and one.tilt_rad == pytest.approx(0.0, abs=1e-6)
    assert one.depth_m == pytest.approx(-0.0005) and one.wrench == WRENCH
    said = one.message
    assert "on the rim" in said and "+1.0 mm in x and -2.0 mm in y" in said and "-11.5 deg" in said and "3.0 N" in said


def test_a_turn_counts_from_the_nearest_way_round_that_fits(task, part):
    assert part.symmetry == 2
    assert found(task, part, (0, 0, 0.03), (0.0, 0.0, np.pi - 0.1)).turn_rad == pytest.approx(-0.1)


def test_a_start_outside_the_trained_box_is_named_but_for_what_placing_explains(task, part):
    most = task.initial_state.trained.high[5]
    assert found(task, part, yaw=most + 0.04).outside_trained == ()
    wide = found(task, part, yaw=most + 0.2, start=(0.02, 0.0, 0.035))
    assert wide.outside_trained == ("x", "yaw")
    assert "yaw 28.6 deg (trained -17.2 to 17.2)" in wide.message
    # Half a turn further it is the same start.
    assert found(task, part, yaw=most + 0.2 - np.pi, start=(0.02, 0.0, 0.035)).outside_trained == ("x", "yaw")


def test_without_a_first_step_there_is_no_start(task, part):
    plug = SOCKET @ Poses.from_xyz_rpy((0.0, 0.0, 0.035), (0.0, 0.0, 0.0))
    none = diagnose(
        task, part, socket=SOCKET, plug=plug, seated=False, wrench=WRENCH, start=None, grasp=np.zeros((1, 3))
    )
    assert none.outside_trained == () and none.place is Place.ABOVE
