"""The tick's decoder is the batched one for a batch of one."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.action import ActionDecoder
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.task import load_task
from refinery.tick.decoder import OneActionDecoder
from refinery.tick.pose import Pose

TASK = load_task(config_file("tasks", "peg_rect"))
SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 0.3])
TOOL = Poses.from_xyz_rpy([0.5, 0.0, 0.2], [np.pi, 0.0, 0.0])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_one_decoder_is_the_batch_of_one(seed):
    rng = np.random.default_rng(seed)
    socket = Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-3, 3, 3))
    tool = Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-3, 3, 3))
    batch, one = ActionDecoder(TASK.control), OneActionDecoder(TASK.control, Pose.of(tool))
    batch.reset(tool)
    for _ in range(40):
        action = rng.uniform(-3, 3, (1, 6))
        expected = batch.decode(action, tool, socket)
        got = one.decode(tuple(action[0].tolist()), Pose.of(tool), Pose.of(socket))
        assert got is one.target
        np.testing.assert_allclose(one.smoothed, batch.smoothed[0], atol=1e-12)
        np.testing.assert_allclose(got.batch().pos_m, expected.pos_m, atol=1e-11)
        np.testing.assert_allclose(got.batch().quat_xyzw, expected.quat_xyzw, atol=1e-11)
        tool = tool @ Poses.from_xyz_rpy(rng.uniform(-0.005, 0.005, 3), rng.uniform(-0.05, 0.05, 3))


def test_one_decoder_does_not_hide_nan():
    decoder = OneActionDecoder(TASK.control, Pose.of(TOOL))
    target = decoder.decode((np.nan,) * 6, Pose.of(TOOL), Pose.of(SOCKET))
    assert np.all(np.isnan(target.xyz_m)) and np.all(np.isnan(target.xyzw))


def test_a_reset_forgets_action_and_target():
    decoder = OneActionDecoder(TASK.control, Pose.of(TOOL))
    decoder.decode((1.0,) * 6, Pose.of(TOOL), Pose.of(SOCKET))
    there = Pose.of(SOCKET)
    decoder.reset(there)
    assert decoder.target is there and decoder.smoothed == (0.0,) * 6
