import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.success import engaged, plug_offset, strict
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
ORIGIN = Poses.from_xyz_rpy([0.0, 0, 0], [0.0, 0, 0])


def verdict(xyz, rpy=(0.0, 0.0, 0.0), socket=ORIGIN):
    plug = socket @ Poses.from_xyz_rpy(xyz, rpy)
    return (
        bool(strict(plug_offset(socket, plug), TASK.success)[0]),
        bool(engaged(socket, plug, TASK.success, TASK.rim_height_m)[0]),
    )


def test_seated_counts_under_both():
    assert verdict((0, 0, 0)) == (True, True)


def test_outside_the_wall_at_full_depth_is_no_success():
    assert verdict((0.02, 0, 0)) == (False, False)


def test_half_in_is_engaged_but_not_seated():
    assert verdict((0, 0, 0.012)) == (False, True)


def test_through_the_floor_is_no_success():
    assert verdict((0, 0, -0.003))[0] is False


def test_on_the_rim_is_neither():
    assert verdict((0.0006, 0, TASK.rim_height_m)) == (False, False)


@given(st.tuples(*[st.floats(-0.5, 0.5)] * 3), st.floats(-3, 3), st.tuples(*[st.floats(-0.003, 0.003)] * 3))
def test_verdict_does_not_depend_on_where_the_socket_stands(xyz, yaw, offset):
    moved = Poses.from_xyz_rpy(xyz, (0, 0, yaw))
    errors = [plug_offset(s, s @ Poses.from_xyz_rpy(offset, (0, 0, 0.05))) for s in (ORIGIN, moved)]
    assert np.isclose(errors[0].height_m, errors[1].height_m, atol=1e-9)
    assert np.isclose(errors[0].lateral_m, errors[1].lateral_m, atol=1e-9)
    assert np.isclose(errors[0].angle_rad, errors[1].angle_rad, atol=1e-7)


ANGLES = st.floats(-np.pi, np.pi)


@given(ANGLES, st.floats(-0.4, 0.4), st.floats(-0.4, 0.4))
def test_without_symmetry_the_angle_is_the_rotations_magnitude(yaw, roll, pitch):
    plug = Poses.from_xyz_rpy((0, 0, 0), (roll, pitch, yaw))
    assert plug_offset(ORIGIN, plug).angle_rad[0] == pytest.approx(plug.rotation.magnitude()[0], abs=1e-7)


@given(st.integers(2, 8), ANGLES, ANGLES, st.floats(-0.4, 0.4))
def test_with_symmetry_the_angle_is_the_smallest_over_all_ways_round(order, yaw, tilt_axis, tilt):
    tilted = Poses.from_xyz_rpy((0, 0, 0), (0, 0, tilt_axis)) @ Poses.from_xyz_rpy((0, 0, 0), (tilt, 0, 0))
    plug = tilted @ Poses.from_xyz_rpy((0, 0, 0), (0, 0, yaw))
    ways = [
        (plug @ Poses.from_xyz_rpy((0, 0, 0), (0, 0, 2 * np.pi * k / order))).rotation.magnitude()[0]
        for k in range(order)
    ]
    assert plug_offset(ORIGIN, plug, order).angle_rad[0] == pytest.approx(min(ways), abs=1e-7)


@given(ANGLES, ANGLES, st.floats(-1.5, 1.5))
def test_of_a_round_plug_only_the_tilt_counts(yaw, tilt_axis, tilt):
    tilted = Poses.from_xyz_rpy((0, 0, 0), (0, 0, tilt_axis)) @ Poses.from_xyz_rpy((0, 0, 0), (tilt, 0, 0))
    plug = tilted @ Poses.from_xyz_rpy((0, 0, 0), (0, 0, yaw))
    assert plug_offset(ORIGIN, plug, 0).angle_rad[0] == pytest.approx(abs(tilt), abs=1e-7)


def test_the_other_way_round_is_success_only_if_the_section_says_so():
    plug = Poses.from_xyz_rpy([(0.0, 0, 0)] * 2, [(0.0, 0, np.pi), (0.0, 0, np.pi / 2)])
    socket = Poses.from_xyz_rpy([(0.0, 0, 0)] * 2, [(0.0, 0, 0)] * 2)
    verdicts = {n: strict(plug_offset(socket, plug, n), TASK.success).tolist() for n in (1, 2, 4, 0)}
    assert verdicts == {1: [False, False], 2: [True, False], 4: [True, True], 0: [True, True]}
