"""Straight ways are straight, end where they must, and say why."""

from __future__ import annotations

import numpy as np
import pytest
from planning.cases import HOME, at, batch, down

from refinery.rotations import Poses, angle_between_rad
from refinery_twin.planning import Box, Planner, SceneObject


@pytest.mark.parametrize("link", ["", "panda_link8"])
def test_the_link_stays_on_the_line(planner: Planner, link: str) -> None:
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    begin = planner.forward(start, link)
    end = Poses(pos_m=begin.pos_m + np.array([0.05, 0.1, -0.12]), quat_xyzw=begin.quat_xyzw)
    line = planner.cartesian(start, end, link=link)
    assert line.fraction == 1 and not line.reason
    along = (end.pos_m - begin.pos_m)[0]
    length = np.linalg.norm(along)
    for joints in line.path.at(np.linspace(0, line.path.duration_s, 300)):
        pose = planner.forward(joints, link)
        from_start = (pose.pos_m - begin.pos_m)[0]
        share = from_start @ along / length**2
        assert np.linalg.norm(from_start - share * along) < 1e-4 and -1e-3 < share < 1 + 1e-3
        assert angle_between_rad(pose.quat_xyzw, begin.quat_xyzw)[0] < 1e-3
    reached = planner.forward(line.path.positions_rad[-1], link)
    np.testing.assert_allclose(reached.pos_m, end.pos_m, atol=1e-6)


def test_goes_through_all_waypoints(planner: Planner) -> None:
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    corners = [down(0.5, 0.1, 0.3), down(0.5, 0.1, 0.2, 0.8), down(0.4, 0.0, 0.2)]
    line = planner.cartesian(start, batch(corners))
    assert line.fraction == 1
    tool = planner.profile.arm_kinematics().forward(line.path.positions_rad).pos_m
    for corner in corners:
        assert np.linalg.norm(tool - corner.pos_m, axis=1).min() < 0.003


def test_ends_before_a_collision_and_says_with_what(planner: Planner) -> None:
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    planner.scene.add(SceneObject.single("block", Box(size_m=(0.1, 0.1, 0.1)), at(0.5, 0.0, 0.1)))
    line = planner.cartesian(start, down(0.5, 0.0, 0.1), max_step_m=0.002)
    assert "block" in line.reason
    tip = planner.forward(line.path.positions_rad[-1]).pos_m[0, 2]
    # Fingertips are 9 mm past the tool frame; they stop within a step and their padding above the block.
    assert 0.15 < tip - 0.0085 < 0.15 + 0.002 + 0.006
    assert line.fraction == pytest.approx((0.3 - tip) / 0.2, abs=0.02)
    assert planner.check_state(line.path.positions_rad[-1]).valid
    through = planner.cartesian(start, down(0.5, 0.0, 0.1), avoid_collisions=False)
    assert through.fraction == 1


def test_ends_where_the_arm_ends(planner: Planner) -> None:
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    line = planner.cartesian(start, down(1.2, 0.0, 0.3))
    assert 0.2 < line.fraction < 0.8 and "cannot reach" in line.reason
    assert line.path.duration_s > 0


def test_jumps_end_it(planner: Planner) -> None:
    start = planner.inverse(down(0.5, 0.0, 0.3), seed_rad=HOME)
    target = down(0.5, 0.0, 0.3, 1.0)
    whole = planner.cartesian(start, target)
    assert whole.fraction == 1
    # Each step turns by 0.05 rad: a stricter bound on a joint's step ends it at once.
    stopped = planner.cartesian(start, target, revolute_jump_rad=0.01)
    assert stopped.fraction == 0 and "another configuration" in stopped.reason
    np.testing.assert_allclose(stopped.path.positions_rad, np.tile(start, (len(stopped.path.times_s), 1)))
    uneven = planner.cartesian(start, down(0.3, 0.3, 0.5, 1.0), jump_threshold=1.01)
    assert uneven.fraction < 1 and "times the mean" in uneven.reason
