"""Plans reach their goals free of collisions, every time the same; what cannot be is refused with MoveIt's codes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planning.cases import HAND, HOME, at, batch, down, refused, turned

from refinery.rotations import Array, Poses, angle_between_rad
from refinery_twin.planning import (
    AttachedObject,
    Box,
    JointGoal,
    MoveItErrorCode,
    Planner,
    PlanningError,
    PoseGoal,
    SceneObject,
    TimedPath,
)


def assert_free(planner: Planner, path: TimedPath) -> None:
    for joints in path.at(np.linspace(0.0, path.duration_s, 400)):
        assert planner.check_state(joints).valid


def assert_reached(planner: Planner, joints: Array, pose: Poses, link: str = "") -> None:
    reached = planner.forward(joints, link)
    np.testing.assert_allclose(reached.pos_m, pose.pos_m, atol=1e-5)
    assert angle_between_rad(reached.quat_xyzw, pose.quat_xyzw)[0] < 1e-5


@pytest.mark.parametrize("link", ["", "panda_hand", "panda_link8", "panda_link7"])
def test_inverse_meets_the_pose_of_any_last_link(planner: Planner, link: str) -> None:
    wanted = planner.forward(HOME + 0.2, link)
    joints = planner.inverse(wanted, seed_rad=HOME, link=link)
    assert_reached(planner, joints, wanted, link)
    assert planner.check_state(joints).valid


def test_inverse_avoids_collisions_if_it_is_to(cell: Planner) -> None:
    inside = down(0.5, 0.0, 0.03)
    joints = cell.inverse(inside, seed_rad=HOME, avoid_collisions=False)
    assert_reached(cell, joints, inside)
    with refused(MoveItErrorCode.GOAL_IN_COLLISION, "part touches plate"):
        cell.inverse(inside, seed_rad=HOME)
    with refused(MoveItErrorCode.NO_IK_SOLUTION, r"panda_hand_tcp at \(1.500, 0.000, 0.300\) m of panda_link0"):
        cell.inverse(down(1.5, 0.0, 0.3), seed_rad=HOME)
    with refused(MoveItErrorCode.INVALID_LINK_NAME, "got 'panda_link3'"):
        cell.inverse(inside, seed_rad=HOME, link="panda_link3")
    with refused(MoveItErrorCode.INVALID_ROBOT_STATE, "seed: expected 7 finite"):
        cell.inverse(inside, seed_rad=HOME[:6])


@pytest.mark.parametrize("seed", range(3))
def test_goes_around_a_wall(cell: Planner, seed: int) -> None:
    behind = cell.inverse(down(0.5, 0.42, 0.15), seed_rad=HOME)
    goal = down(0.5, 0.08, 0.15)
    straight = cell.cartesian(behind, goal)
    assert straight.fraction < 1 and "wall" in straight.reason
    path = cell.plan(behind, PoseGoal(pose=goal), seed=seed)
    np.testing.assert_allclose(path.positions_rad[0], behind, atol=1e-12)
    assert_reached(cell, path.positions_rad[-1], goal)
    assert_free(cell, path)


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_reaches_joints_exactly(one_planner: Planner, seed: int) -> None:
    planner, rng = one_planner, np.random.default_rng(seed)
    planner.scene.clear()
    start, goal = (HOME + rng.uniform(-0.6, 0.6, 7) for _ in range(2))
    if not all(planner.check_state(joints).valid for joints in (start, goal)):
        return
    path = planner.plan(start, JointGoal(joints_rad=goal))
    np.testing.assert_allclose(path.positions_rad[[0, -1]], [start, goal], atol=1e-12)
    assert_free(planner, path)


def test_same_request_same_answer(cell: Planner) -> None:
    behind = cell.inverse(down(0.5, 0.42, 0.15), seed_rad=HOME)
    goal = PoseGoal(pose=down(0.5, 0.08, 0.15))
    first, again, other = (cell.plan(behind, goal, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.positions_rad, again.positions_rad)
    np.testing.assert_array_equal(first.times_s, again.times_s)
    assert first.positions_rad.shape != other.positions_rad.shape or not np.allclose(
        first.positions_rad, other.positions_rad
    )


def test_staying_is_a_plan_too(planner: Planner) -> None:
    path = planner.plan(HOME, JointGoal(joints_rad=HOME))
    np.testing.assert_allclose(path.positions_rad, np.tile(HOME, (len(path.times_s), 1)), atol=1e-12)
    line = planner.cartesian(HOME, planner.forward(HOME))
    assert line.fraction == 1 and np.abs(line.path.positions_rad - HOME).max() < 1e-6


def test_refuses_starts_and_goals_that_cannot_be(cell: Planner) -> None:
    above, inside = down(0.5, 0.0, 0.2), down(0.5, 0.0, 0.03)
    stuck = cell.inverse(inside, seed_rad=HOME, avoid_collisions=False)
    goal = PoseGoal(pose=above)
    beyond = turned(3.0)
    for code, sentence, action in (
        (MoveItErrorCode.START_STATE_IN_COLLISION, "part touches plate", lambda: cell.plan(stuck, goal)),
        (MoveItErrorCode.START_STATE_IN_COLLISION, "part touches plate", lambda: cell.cartesian(stuck, above)),
        (MoveItErrorCode.GOAL_IN_COLLISION, "part touches plate", lambda: cell.plan(HOME, PoseGoal(pose=inside))),
        (MoveItErrorCode.GOAL_IN_COLLISION, "part touches plate", lambda: cell.plan(HOME, JointGoal(joints_rad=stuck))),
        (MoveItErrorCode.NO_IK_SOLUTION, "out of reach", lambda: cell.plan(HOME, PoseGoal(pose=down(1.2, 0, 0.2)))),
        (MoveItErrorCode.INVALID_ROBOT_STATE, "panda_joint1: expected", lambda: cell.plan(beyond, goal)),
        (MoveItErrorCode.INVALID_ROBOT_STATE, "7 finite", lambda: cell.plan(HOME * np.nan, goal)),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "joint1", lambda: cell.plan(HOME, JointGoal(joints_rad=beyond))),
        (
            MoveItErrorCode.INVALID_GOAL_CONSTRAINTS,
            "velocity_scaling",
            lambda: cell.plan(HOME, goal, velocity_scaling=1.5),
        ),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "tool_speed_m_s", lambda: cell.plan(HOME, goal, tool_speed_m_s=0.0)),
        (MoveItErrorCode.INVALID_LINK_NAME, "foo", lambda: cell.plan(HOME, PoseGoal(pose=above, link="foo"))),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "max_step_m", lambda: cell.cartesian(HOME, above, max_step_m=0.0)),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "steps", lambda: cell.cartesian(HOME, above, max_step_m=1e-9)),
        (MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, "0 waypoints", lambda: cell.cartesian(HOME, above[1:1])),
    ):
        with refused(code, sentence):
            action()
    # On the way out nothing has to be free if nobody asks.
    assert cell.cartesian(stuck, above, avoid_collisions=False).fraction == 1


def test_a_ring_around_a_post_stays_there(planner: Planner) -> None:
    bars = [at(0.15 + x, y, 0.02) for x, y in ((0.09, 0.0), (-0.09, 0.0), (0.0, 0.09), (0.0, -0.09))]
    sizes = [(0.02, 0.2, 0.02), (0.02, 0.2, 0.02), (0.2, 0.02, 0.02), (0.2, 0.02, 0.02)]
    ring = SceneObject(
        name="ring",
        shapes=tuple(Box(size_m=size) for size in sizes),
        shape_poses=batch(bars),
        pose=at(0.0, 0.0, 0.0),
    )
    planner.scene.attach(AttachedObject(link="panda_hand_tcp", object=ring, touch_links=HAND))
    tool = planner.forward(HOME).pos_m[0]
    planner.scene.add(SceneObject.single("post", Box(size_m=(0.02, 0.02, 6.0)), at(tool[0] + 0.15, 0.0, 0.0)))
    aside = JointGoal(joints_rad=turned(1.2))
    assert all(planner.check_state(joints).valid for joints in (HOME, aside.joints_rad))
    with pytest.raises(PlanningError) as refusal:
        planner.plan(HOME, aside, attempts=1, timeout_s=2.0)
    assert refusal.value.code in (MoveItErrorCode.TIMED_OUT, MoveItErrorCode.PLANNING_FAILED)


def test_joints_are_sorted_by_name(planner: Planner) -> None:
    names, values = list(planner.joint_names), np.arange(7.0)
    order = [3, 1, 0, 6, 5, 4, 2]
    found = planner.joints([names[i] for i in order] + ["panda_finger_joint1"], [*values[order], 0.02])
    np.testing.assert_array_equal(found, values)
    np.testing.assert_array_equal(planner.joints(names[:2], [9.0, 8.0], default_rad=values)[:3], [9.0, 8.0, 2.0])
    for sentence, args in (
        ("got none for panda_joint7", (names[:6], values[:6])),
        ("got elbow", ([*names, "elbow"], [*values, 0.0])),
        ("expected 7 finite", (names, values[:6])),
        ("expected 7 finite", (names, [np.inf] * 7)),
    ):
        with refused(MoveItErrorCode.INVALID_ROBOT_STATE, sentence):
            planner.joints(*args)
