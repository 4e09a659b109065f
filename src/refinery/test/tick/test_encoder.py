"""The tick's encoder is the batched one for a batch of one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.observation import OBSERVATION_SIZE, ObservationEncoder
from refinery.paths import config_file
from refinery.rotations import Poses, angle_between_rad
from refinery.task import load_task
from refinery.tick.encoder import OneObservationEncoder, floats_of
from refinery.tick.pose import Pose, quat_of

TASK = load_task(config_file("tasks", "peg_rect"))
SEATED = TASK.plug.tool_from_plug.inverse()


def reset(encoder, tool: Poses, grasp=None) -> None:
    """Reset an encoder of either kind."""
    if isinstance(encoder, OneObservationEncoder):
        encoder.reset(Pose.of(tool), Pose.of(TASK.plug.tool_from_plug_at(np.zeros((1, 3)) if grasp is None else grasp)))
    else:
        encoder.reset(tool, grasp=grasp)


def filtered(encoder, estimate: Poses) -> Poses:
    """Filter an estimate with an encoder of either kind."""
    if isinstance(encoder, OneObservationEncoder):
        return encoder.filter_socket(Pose.of(estimate)).batch()
    return encoder.filter_socket(estimate)


@pytest.mark.parametrize("encoder", [ObservationEncoder(TASK), OneObservationEncoder(TASK)])
def test_one_turned_estimate_does_not_decide_the_orientation(encoder):
    socket = Pose((0.1, 0.2, 0.3), (0.0, 0.0, 0.0, 1.0)).batch()
    reset(encoder, SEATED)
    for _ in range(19):
        filtered(encoder, socket)
    mean = filtered(encoder, Pose((0.1, 0.2, 0.3), quat_of((0.0, 0.0, 0.5))).batch())
    assert angle_between_rad(mean.quat_xyzw, socket.quat_xyzw)[0] == pytest.approx(0.025, rel=0.05)


@given(st.integers(0, 2**32 - 1))
def test_estimates_of_one_orientation_keep_it_to_the_bit(seed):
    rng = np.random.default_rng(seed)
    socket = Poses.from_xyz_rpy(rng.uniform(-1, 1, (3, 3)), rng.uniform(-3, 3, (3, 3)))
    batch, one = ObservationEncoder(TASK, 3), OneObservationEncoder(TASK)
    single = Pose.of(socket[0])
    for _ in range(75):
        assert np.array_equal(batch.filter_socket(socket).quat_xyzw, socket.quat_xyzw)
        assert one.filter_socket(single).xyzw == single.xyzw


@given(st.integers(0, 2**32 - 1))
def test_one_observation_is_the_batch_of_one(seed):
    rng = np.random.default_rng(seed)
    grasp = rng.uniform(-1, 1, (1, 3)) * [0.004, 0.006, 0.3]
    socket = Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-3, 3, 3))
    batch, one = ObservationEncoder(TASK), OneObservationEncoder(TASK)
    for _episode in range(2):
        tool = socket @ Poses.from_xyz_rpy(rng.uniform(-0.03, 0.03, 3), rng.uniform(-0.3, 0.3, 3)) @ SEATED
        batch.reset(tool, grasp=grasp)
        reset(one, tool, grasp)
        for _ in range(4):
            jitter = Poses.from_xyz_rpy(rng.uniform(-0.002, 0.002, 3), rng.uniform(-0.2, 0.2, 3))
            seen = socket @ jitter
            seen = Poses(pos_m=seen.pos_m, quat_xyzw=seen.quat_xyzw * rng.choice([-1.0, 1.0]))
            target = tool @ Poses.from_xyz_rpy(rng.uniform(-0.01, 0.01, 3), rng.uniform(-0.1, 0.1, 3))
            action = rng.uniform(-1, 1, (1, 6))
            mean, same_mean = batch.filter_socket(seen), one.filter_socket(Pose.of(seen))
            np.testing.assert_allclose(same_mean.batch().pos_m, mean.pos_m, atol=1e-12)
            assert angle_between_rad(same_mean.batch().quat_xyzw, mean.quat_xyzw)[0] < 1e-7
            expected = batch.encode(tool, mean, target, action)
            got = np.full((1, OBSERVATION_SIZE), np.nan, dtype=np.float32)
            one.encode(Pose.of(tool), same_mean, Pose.of(target), tuple(action[0].tolist()), floats_of(got))
            # Both are rounded to float32.
            np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-9)
            tool = tool @ Poses.from_xyz_rpy(rng.uniform(-0.002, 0.002, 3), rng.uniform(-0.02, 0.02, 3))


def test_what_is_too_large_for_the_array_becomes_infinite():
    array = np.zeros((1, 3), dtype=np.float32)
    view = floats_of(array)
    view[0], view[1], view[2] = 1e300, -1e300, 0.1
    np.testing.assert_array_equal(array, np.array([[np.inf, -np.inf, 0.1]], dtype=np.float32))
