"""Messages from outside: good ones become what they say, bad ones one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from geometry_msgs.msg import PoseStamped
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from refinery_sim.trajectory import JointLimits, TrajectoryError
from refinery_twin.inputs import InputError, target_from, trajectory_from

NAMES = [f"panda_joint{i}" for i in range(1, 8)]
START = np.array([0.0, -0.785, 0.0, -2.356, 0.0, 1.571, 0.785])


def _target(frame: str = "base", **values: float) -> PoseStamped:
    message = PoseStamped()
    message.header.frame_id = frame
    message.pose.orientation.x, message.pose.orientation.w = 1.0, 0.0
    for name, value in values.items():
        part = message.pose.orientation if name in ("qx", "qw") else message.pose.position
        setattr(part, name[-1], value)
    return message


def test_target_is_read() -> None:
    pose = target_from(_target(x=0.4, z=0.2), "base")
    np.testing.assert_allclose(pose.pos_m, [[0.4, 0.0, 0.2]])
    np.testing.assert_allclose(pose.quat_xyzw, [[1.0, 0.0, 0.0, 0.0]])


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (_target(frame="world"), "expected frame_id 'base', got 'world'"),
        (_target(frame=""), "expected frame_id 'base', got ''"),
        (_target(y=float("nan")), "finite"),
        (_target(x=float("inf")), "finite"),
        (_target(qx=0.5), "unit quaternion"),
        (_target(qx=0.0), "unit quaternion"),
    ],
)
def test_bad_targets_are_refused(message: PoseStamped, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        target_from(message, "base")


def _trajectory(names: list[str], rows: list[np.ndarray], stamp_s: int = 0) -> JointTrajectory:
    message = JointTrajectory(joint_names=names)
    message.header.stamp.sec = stamp_s
    for i, row in enumerate(rows):
        point = JointTrajectoryPoint(positions=row.tolist())
        point.time_from_start.sec = i + 1
        message.points.append(point)
    return message


def test_joints_may_come_in_any_order(limits: JointLimits) -> None:
    goal = START + np.arange(7) * 0.01
    message = _trajectory(NAMES[::-1], [goal[::-1]])
    trajectory = trajectory_from(message, NAMES, now_s=5.0, start_rad=START, limits=limits)
    np.testing.assert_allclose(trajectory.goal_rad, goal)
    assert trajectory.duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("message", "sentence"),
    [
        (_trajectory(NAMES[:6], [START[:6]]), "joint_names: expected panda_joint1"),
        (_trajectory([*NAMES[:6], "other"], [START]), "got .*other"),
        (_trajectory(NAMES, [START[:5]]), "positions: expected 7"),
        (_trajectory(NAMES, [START], stamp_s=60), "header.stamp"),
        (_trajectory(NAMES, [START], stamp_s=1), "header.stamp"),
        (_trajectory(NAMES, [START], stamp_s=4), "header.stamp"),
        (_trajectory(NAMES, []), "at least one, got none"),
    ],
)
def test_bad_trajectories_are_refused(limits: JointLimits, message: JointTrajectory, sentence: str) -> None:
    with pytest.raises(TrajectoryError, match=sentence):
        trajectory_from(message, NAMES, now_s=5.0, start_rad=START, limits=limits)
