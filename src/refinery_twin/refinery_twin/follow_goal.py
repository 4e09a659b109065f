"""A joint trajectory controller's checks of a goal before acceptance, and the goal's tolerances."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from control_msgs.action import FollowJointTrajectory
from control_msgs.msg import JointTolerance
from trajectory_msgs.msg import JointTrajectory

from refinery.errors import RefineryError
from refinery.rotations import Array
from refinery_ros.conversions import seconds
from refinery_sim.trajectory import REST_RAD_S
from refinery_twin.following import Tolerance, Tolerances

_DEFAULTS = Tolerances()
_ERASE = -1.0
"""This value disables a tolerance (``control_msgs/JointTolerance``)."""


class FollowGoalError(RefineryError):
    """A goal is rejected.

    Args:
        code: Name of the corresponding constant of ``FollowJointTrajectory.Result``.
        message: The reason.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(f"{code}: {message}")


def check_goal(goal: FollowJointTrajectory.Goal, joint_names: Sequence[str], now_s: float) -> None:
    """Check a goal as ros2_controllers' joint trajectory controller does before it accepts one.

    Whether the arm can follow it is another question, which only :func:`refinery_twin.inputs.trajectory_from` answers.

    Args:
        goal: As received.
        joint_names: Joints of the controller, 1 to 7.
        now_s: Simulated time, [s].

    Raises:
        FollowGoalError: INVALID_JOINTS, OLD_HEADER_TIMESTAMP or INVALID_GOAL.
    """
    message = goal.trajectory
    if sorted(message.joint_names) != sorted(joint_names):
        got = ", ".join(message.joint_names) or "none"
        raise FollowGoalError("INVALID_JOINTS", f"expected the joints {', '.join(joint_names)}, got {got}")
    if goal.multi_dof_trajectory.points:
        raise FollowGoalError("INVALID_GOAL", "multi_dof_trajectory: expected none, the controller has single joints")
    if not message.points:
        raise FollowGoalError("INVALID_GOAL", "trajectory.points: expected at least one point, got none")
    times = [seconds(point.time_from_start) for point in message.points]
    start_s = seconds(message.header.stamp)
    if start_s > 0 and start_s + times[-1] < now_s:
        raise FollowGoalError(
            "OLD_HEADER_TIMESTAMP",
            f"expected a trajectory that is not over yet at {now_s:.3f} s, got one from {start_s:.3f} s "
            f"to {start_s + times[-1]:.3f} s",
        )
    if any(later <= earlier for earlier, later in pairwise(times)):
        raise FollowGoalError("INVALID_GOAL", "time_from_start: expected times that increase from point to point")
    _check_sizes(message)
    if any(abs(speed) > REST_RAD_S for speed in message.points[-1].velocities):
        raise FollowGoalError("INVALID_GOAL", "velocities of the last point: expected 0 rad/s")


def tolerances_of(goal: FollowJointTrajectory.Goal, joint_names: Sequence[str]) -> Tolerances:
    """Read the tolerances of a goal: 0 is the controller's own, -1 is none.

    Args:
        goal: As received.
        joint_names: Joints of the controller, 1 to 7.

    Returns:
        The tolerances; those of accelerations are ignored, the twin measures none.

    Raises:
        RefineryError: A joint is unknown or a value is negative and not -1; the real controller falls back to its own
            tolerances then.
    """
    asked_s = seconds(goal.goal_time_tolerance)
    return Tolerances(
        path=_read("path_tolerance", goal.path_tolerance, joint_names, _DEFAULTS.path),
        goal=_read("goal_tolerance", goal.goal_tolerance, joint_names, _DEFAULTS.goal),
        goal_time_s=asked_s if asked_s > 0 else 0.0 if asked_s < 0 else _DEFAULTS.goal_time_s,
    )


def _check_sizes(message: JointTrajectory) -> None:
    size = len(message.joint_names)
    for index, point in enumerate(message.points):
        for name, optional in (("positions", False), ("velocities", True), ("accelerations", True), ("effort", True)):
            count = len(getattr(point, name))
            if count != size and not (optional and count == 0):
                raise FollowGoalError("INVALID_GOAL", f"{name} of point {index}: expected {size} values, got {count}")


def _read(key: str, rows: Sequence[JointTolerance], joint_names: Sequence[str], default: Tolerance) -> Tolerance:
    position, velocity = default.position_rad.copy(), default.velocity_rad_s.copy()
    for row in rows:
        if row.name not in joint_names:
            raise RefineryError(f"{key}: expected one of the joints {', '.join(joint_names)}, got {row.name!r}")
        joint = joint_names.index(row.name)
        _put(f"{key} of {row.name}", row.position, position, joint)
        _put(f"{key} of {row.name}", row.velocity, velocity, joint)
    return Tolerance(position_rad=position, velocity_rad_s=velocity)


def _put(key: str, value: float, into: Array, joint: int) -> None:
    if value == 0.0:
        return
    if value != _ERASE and not (np.isfinite(value) and value > 0):
        raise RefineryError(f"{key}: expected a tolerance > 0, 0 (the default) or -1 (none), got {value}")
    into[joint] = 0.0 if value == _ERASE else value
