import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.success import engaged, insertion_errors, strict
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
ORIGIN = Poses.from_xyz_rpy([0.0, 0, 0], [0.0, 0, 0])


def verdict(xyz, rpy=(0.0, 0.0, 0.0), socket=ORIGIN):
    plug = socket @ Poses.from_xyz_rpy(xyz, rpy)
    return (
        bool(strict(insertion_errors(socket, plug), TASK.success)[0]),
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
    errors = [insertion_errors(s, s @ Poses.from_xyz_rpy(offset, (0, 0, 0.05))) for s in (ORIGIN, moved)]
    assert np.isclose(errors[0].height_m, errors[1].height_m, atol=1e-9)
    assert np.isclose(errors[0].lateral_m, errors[1].lateral_m, atol=1e-9)
    assert np.isclose(errors[0].angle_rad, errors[1].angle_rad, atol=1e-7)
