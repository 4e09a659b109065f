import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.errors import ConfigError
from refinery.initial_state import GRASP, BoxSpec, InitialStateSpec, plug_pose, theta_of, tool_pose
from refinery.paths import config_file
from refinery.rotations import Poses, angle_between_rad
from refinery.task import load_task
from refinery.testing.bundles import with_grasps

TASK = load_task(config_file("tasks", "peg_rect"))
BOX = TASK.initial_state.deployed
WITH_GRASPS = with_grasps(TASK).initial_state.deployed


@given(st.integers(0, 2**32 - 1))
def test_unit_coordinates_round_trip(seed):
    theta = BOX.uniform(20, np.random.default_rng(seed))
    unit = BOX.to_unit(theta)
    assert unit.shape == (20, len(BOX.free)) and unit.min() >= 0 and unit.max() <= 1
    assert np.allclose(BOX.from_unit(unit), theta)
    assert BOX.contains(theta).all()


def test_fixed_dimensions_are_not_free():
    assert "z" not in BOX.free_names and "grasp_x" not in BOX.free_names
    box = BoxSpec(x=(0.0, 1.0), z=(0.035, 0.035), grasp_pitch=(0.0, 1.0)).box
    assert box.free_names == ("x", "grasp_pitch")
    assert np.array_equal(box.from_unit(np.array([[1.0, 0.5]])), [[1.0, 0, 0.035, 0, 0, 0, 0, 0, 0.5]])
    assert not box.contains(np.array([[0, 0.1, 0.035, 0, 0, 0, 0, 0, 0]])).any()


@given(st.integers(0, 2**32 - 1))
def test_theta_round_trips_through_poses(seed):
    rng = np.random.default_rng(seed)
    theta = WITH_GRASPS.uniform(5, rng)
    socket = Poses.from_xyz_rpy(rng.uniform(-1, 1, (5, 3)), np.column_stack([np.zeros((5, 2)), rng.uniform(-1, 1, 5)]))
    assert np.allclose(theta_of(socket, plug_pose(socket, theta), theta[:, GRASP]), theta, atol=1e-9)
    # The tool that theta asks for, and the way it holds the plug, put the plug where theta says.
    plug = tool_pose(socket, theta, TASK.plug.tool_from_plug) @ TASK.plug.tool_from_plug_at(theta[:, GRASP])
    assert np.allclose(plug.pos_m, plug_pose(socket, theta).pos_m, atol=1e-9)
    assert np.allclose(angle_between_rad(plug.quat_xyzw, plug_pose(socket, theta).quat_xyzw), 0, atol=1e-7)


def test_a_grasp_is_a_shift_and_a_turn_of_the_part_in_the_tool_frame():
    shifted = TASK.plug.tool_from_plug_at(np.array([[0.002, 0.003, 0.0]]))
    assert np.allclose(shifted.pos_m - TASK.plug.tool_from_plug.pos_m, [[0.002, 0.0, 0.003]])
    assert np.allclose(shifted.quat_xyzw, TASK.plug.tool_from_plug.quat_xyzw)
    # About the line through both pads: the tip, 38 mm down the tool's z axis, swings along x.
    turned = TASK.plug.tool_from_plug_at(np.array([[0.0, 0.0, 0.1]]))
    assert np.allclose(turned.pos_m, [[0.038 * np.sin(0.1), 0.0, 0.038 * np.cos(0.1)]])


def test_bounds_that_are_none_are_refused_by_name():
    with pytest.raises(ConfigError, match="yaw: expected a lower and an upper bound"):
        BoxSpec(z=(0.0, 0.0), yaw=(1.0, -1.0))
    wide, narrow = BoxSpec(z=(0.0, 0.0), grasp_x=(-0.1, 0.1)), BoxSpec(z=(0.0, 0.0))
    InitialStateSpec(trained_in=narrow, deployed_in=wide)
    with pytest.raises(ConfigError, match=r"deployed_in\.grasp_x"):
        InitialStateSpec(trained_in=wide, deployed_in=narrow)
