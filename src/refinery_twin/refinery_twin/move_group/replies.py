"""Parts of the responses: error codes, robot states and trajectories as messages."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

from moveit_msgs.msg import MoveItErrorCodes, RobotState, RobotTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint

from refinery.rotations import Array
from refinery_ros.conversions import duration_message
from refinery_twin.planning import MoveItErrorCode, PlanningError, TimedPath

SOURCE = "move_group"
"""Source given in every error code."""


def success(message: str = "") -> MoveItErrorCodes:
    """Return the code of a success."""
    return MoveItErrorCodes(val=int(MoveItErrorCode.SUCCESS), message=message, source=SOURCE)


def as_refusal(error: Exception) -> PlanningError:
    """Return an error as a refusal; any other than a PlanningError is a defect, whose trace is printed."""
    if isinstance(error, PlanningError):
        return error
    traceback.print_exception(error)
    return PlanningError(MoveItErrorCode.FAILURE, f"{type(error).__name__}: {error}; this is a defect, see the log")


def failure(error: Exception) -> MoveItErrorCodes:
    """Return the code of a refusal with its sentence; of anything else, see :func:`as_refusal`."""
    error = as_refusal(error)
    return MoveItErrorCodes(val=int(error.code), message=str(error), source=SOURCE)


def robot_state(joint_names: Sequence[str], joints_rad: Array, frame: str) -> RobotState:
    """Return joints (7,) [rad] at rest as a complete state, not a difference."""
    state = RobotState()
    state.joint_state.header.frame_id = frame
    state.joint_state.name = list(joint_names)
    state.joint_state.position = joints_rad.tolist()
    return state


def trajectory(path: TimedPath, frame: str) -> RobotTrajectory:
    """Return a path as MoveIt does: stamp zero; positions, velocities and accelerations at every point."""
    message = RobotTrajectory()
    joints = message.joint_trajectory
    joints.header.frame_id = frame
    joints.joint_names = list(path.joint_names)
    rows = zip(path.times_s, path.positions_rad, path.velocities_rad_s, path.accelerations_rad_s2, strict=True)
    joints.points = [
        JointTrajectoryPoint(
            positions=q.tolist(),
            velocities=dq.tolist(),
            accelerations=ddq.tolist(),
            time_from_start=duration_message(time_s),
        )
        for time_s, q, dq, ddq in rows
    ]
    return message
