import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from refinery.initial_state import Box, plug_pose, theta_of, tool_pose
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
BOX = TASK.initial_state.deployed


@given(st.integers(0, 2**32 - 1))
def test_unit_coordinates_round_trip(seed):
    theta = BOX.uniform(20, np.random.default_rng(seed))
    unit = BOX.to_unit(theta)
    assert unit.shape == (20, len(BOX.free)) and unit.min() >= 0 and unit.max() <= 1
    assert np.allclose(BOX.from_unit(unit), theta)
    assert BOX.contains(theta).all()


def test_fixed_dimensions_are_not_free():
    assert "z" not in BOX.free_names
    box = Box(low=np.zeros(6), high=np.array([1.0, 0, 0, 0, 0, 1.0]))
    assert box.free_names == ("x", "yaw")
    assert not box.contains(np.array([[0, 0.1, 0, 0, 0, 0]])).any()


@given(st.integers(0, 2**32 - 1))
def test_theta_round_trips_through_poses(seed):
    rng = np.random.default_rng(seed)
    theta = BOX.uniform(5, rng)
    socket = Poses.from_xyz_rpy(rng.uniform(-1, 1, (5, 3)), np.column_stack([np.zeros((5, 2)), rng.uniform(-1, 1, 5)]))
    assert np.allclose(theta_of(socket, plug_pose(socket, theta)), theta, atol=1e-9)
    tool = tool_pose(socket, theta, TASK.plug.tool_from_plug)
    assert np.allclose((tool @ TASK.plug.tool_from_plug).pos_m, plug_pose(socket, theta).pos_m, atol=1e-9)
