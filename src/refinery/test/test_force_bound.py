import dataclasses

import numpy as np
import pytest

from refinery.action import ActionDecoder
from refinery.force_bound import commanded_force_bound, spring_limits
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.task import load_task
from refinery.tick.decoder import OneActionDecoder
from refinery.tick.pose import Pose

# Six different numbers each: a mixed-up axis shows.
CONTROL = dataclasses.replace(
    load_task(config_file("tasks", "peg_rect")).control,
    stiffness=(600.0, 500.0, 400.0, 30.0, 20.0, 10.0),
    max_error=(0.01, 0.02, 0.03, 0.1, 0.11, 0.12),
)
SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.1, -0.2, 0.3])
TOOL = Poses.from_xyz_rpy([0.5, 0.0, 0.2], [np.pi, 0.0, 0.0])


def test_the_bound_is_stiffness_times_largest_error_per_axis():
    assert spring_limits(CONTROL) == ((0.01, 0.02, 0.03), (0.1, 0.11, 0.12))
    assert commanded_force_bound(CONTROL) == pytest.approx((6.0, 10.0, 12.0, 3.0, 2.2, 1.2))


@pytest.mark.parametrize("task", sorted(path.stem for path in config_file("tasks", "peg_rect").parent.glob("*.yaml")))
def test_shipped_tasks_ask_for_little_force(task):
    assert max(commanded_force_bound(load_task(config_file("tasks", task)).control)[:3]) <= 15.0


@pytest.mark.parametrize("axis", range(6))
@pytest.mark.parametrize("sign", [-1.0, 1.0])
def test_a_policy_that_pushes_for_ever_reaches_the_bound_and_stays_there(axis, sign):
    batch, one = ActionDecoder(CONTROL), OneActionDecoder(CONTROL, Pose.of(TOOL))
    batch.reset(TOOL)
    push = [0.0] * 6
    push[axis] = sign
    for _ in range(80):
        target = batch.decode(np.array([push]), TOOL, SOCKET)
        single = one.decode(tuple(push), Pose.of(TOOL), Pose.of(SOCKET)).batch()
    expected = np.array(push) * commanded_force_bound(CONTROL)
    for reached in (target, single):
        axes = SOCKET.rotation
        stretch = axes.apply(reached.pos_m - TOOL.pos_m, inverse=True)
        twist = axes.apply((reached.rotation * TOOL.rotation.inv()).as_rotvec(), inverse=True)
        np.testing.assert_allclose(CONTROL.stiffness * np.hstack([stretch, twist])[0], expected, atol=1e-9)
