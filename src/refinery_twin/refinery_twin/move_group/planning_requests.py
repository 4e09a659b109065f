"""A request to plan: read, checked and planned, in the scene and from the state that it names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from moveit_msgs.msg import Constraints, MotionPlanRequest, RobotState, TrajectoryConstraints

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array
from refinery_twin.move_group.goals import Target, read_target
from refinery_twin.move_group.scene_keeper import is_empty
from refinery_twin.planning import MoveItErrorCode, Planner, PlanningError, TimedPath

DEFAULT_TIME_S = 1.0
"""``allowed_planning_time`` of a request that gives none, as in MoveIt, [s]."""


@dataclass(frozen=True, kw_only=True)
class MotionRequest:
    """A checked request for a plan."""

    start_rad: Array
    """Where the motion begins, shape (7,), [rad]."""
    targets: tuple[Target, ...]
    """Goals of which one is enough, in the order to try them."""
    velocity_scaling: float
    """Share of the arm's velocity limits."""
    acceleration_scaling: float
    """Share of the arm's acceleration limits."""
    tool_speed_m_s: float | None
    """Largest speed of the tool, [m/s]; none for the profile's."""
    attempts: int
    """Planning attempts, >= 1."""
    timeout_s: float
    """Time for everything, > 0, [s]."""

    def planned(self, planner: Planner, seed: int) -> TimedPath:
        """Plan to the first goal that can be reached.

        Raises:
            PlanningError: Why the last goal tried cannot be reached.
        """
        end_s = time.monotonic() + self.timeout_s
        for index, target in enumerate(self.targets):
            try:
                return planner.plan(
                    self.start_rad,
                    target.goal(),
                    velocity_scaling=self.velocity_scaling,
                    acceleration_scaling=self.acceleration_scaling,
                    tool_speed_m_s=self.tool_speed_m_s,
                    attempts=self.attempts,
                    timeout_s=max(end_s - time.monotonic(), 1e-3),
                    seed=seed,
                )
            except PlanningError:
                if index == len(self.targets) - 1:
                    raise
        raise _no_goal()

    def met(self, planner: Planner, joints_rad: Array) -> bool:
        """Return whether joints (7,) [rad] satisfy one of the goals."""
        return any(target.met(planner, joints_rad) for target in self.targets)


def read_request(planner: Planner, request: MotionPlanRequest, start: RobotState, joints_rad: Array) -> MotionRequest:
    """Read a request in the scene as it is now; the workspace is ignored, the arm stands on its base.

    Args:
        planner: Knows names and frames.
        request: As received; its own start state is ignored.
        start: Where the motion begins.
        joints_rad: Joints of the arm, shape (7,), [rad].

    Raises:
        PlanningError: INVALID_GROUP_NAME, INVALID_GOAL_CONSTRAINTS, INVALID_LINK_NAME, INVALID_ROBOT_STATE,
            FRAME_TRANSFORM_FAILURE; FAILURE: a pipeline that is not there.
    """
    check_group(planner, request.group_name)
    pipeline = planner.profile.moveit.pipeline_id
    if request.pipeline_id not in ("", pipeline):
        raise PlanningError(
            MoveItErrorCode.FAILURE, f"pipeline_id: expected {pipeline!r} or none, got {request.pipeline_id!r}"
        )
    check_unconstrained(request.path_constraints, request.trajectory_constraints)
    if request.reference_trajectories:
        raise _refused("reference_trajectories: expected none, no planner here uses them")
    if not request.goal_constraints:
        raise _no_goal()
    start_rad = start_of(planner, start, joints_rad)
    return MotionRequest(
        start_rad=start_rad,
        targets=tuple(read_target(planner, constraints, start_rad) for constraints in request.goal_constraints),
        velocity_scaling=scaling(request.max_velocity_scaling_factor),
        acceleration_scaling=scaling(request.max_acceleration_scaling_factor),
        tool_speed_m_s=tool_speed(planner.profile, request.cartesian_speed_limited_link, request.max_cartesian_speed),
        attempts=max(1, request.num_planning_attempts),
        timeout_s=request.allowed_planning_time if request.allowed_planning_time > 0 else DEFAULT_TIME_S,
    )


def check_group(planner: Planner, name: str) -> None:
    """Accept only the planning group; an empty name is refused, as in MoveIt.

    Raises:
        PlanningError: INVALID_GROUP_NAME.
    """
    if not name:
        raise PlanningError(
            MoveItErrorCode.INVALID_GROUP_NAME, f"group_name: expected {planner.profile.moveit.group!r}, got none"
        )
    planner.check_group(name)


def check_unconstrained(path: Constraints, trajectory: TrajectoryConstraints | None = None) -> None:
    """Refuse path constraints, which no planner here keeps to.

    Raises:
        PlanningError: INVALID_GOAL_CONSTRAINTS.
    """
    if constrained(path) or (trajectory is not None and trajectory.constraints):
        raise _refused(
            "expected no path constraints: they are not supported; use compute_cartesian_path for a straight line"
        )


def constrained(constraints: Constraints) -> bool:
    """Return whether there is any constraint."""
    kinds: Sequence[Sequence[object]] = (
        constraints.joint_constraints,
        constraints.position_constraints,
        constraints.orientation_constraints,
        constraints.visibility_constraints,
    )
    return any(len(kind) for kind in kinds)


def start_of(planner: Planner, state: RobotState, joints_rad: Array) -> Array:
    """Return the joints of a state, shape (7,), [rad]; those it does not name are where the arm is.

    Raises:
        PlanningError: INVALID_ROBOT_STATE.
    """
    if is_empty(state):
        return joints_rad
    return planner.joints(state.joint_state.name, np.array(state.joint_state.position), default_rad=joints_rad)


def scaling(factor: float) -> float:
    """Return a scaling factor; 0 is 1, as in MoveIt."""
    return 1.0 if factor == 0.0 else factor


def tool_speed(profile: RobotProfile, link: str, speed_m_s: float) -> float | None:
    """Return the largest speed of the tool that a request asks for, [m/s]; none if it asks for none.

    Raises:
        PlanningError: INVALID_LINK_NAME: of another link than the tool.
    """
    if speed_m_s <= 0.0:
        return None
    if link not in ("", profile.frames.tool):
        raise PlanningError(
            MoveItErrorCode.INVALID_LINK_NAME,
            f"cartesian_speed_limited_link: expected {profile.frames.tool!r} or none, got {link!r}",
        )
    return speed_m_s


def _no_goal() -> PlanningError:
    return _refused("goal_constraints: expected at least one goal, got none")


def _refused(sentence: str) -> PlanningError:
    return PlanningError(MoveItErrorCode.INVALID_GOAL_CONSTRAINTS, sentence)
