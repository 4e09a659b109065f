"""Plans from a start to a goal: goal joints, the shortest path, and the final check of the timed trajectory."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from refinery.rotations import Array, Poses
from refinery_ros.moveit_error_code import MoveItErrorCode
from refinery_twin.planning import names as checked
from refinery_twin.planning.arm_model import ArmModel
from refinery_twin.planning.clock import Deadline
from refinery_twin.planning.errors import PlanningError
from refinery_twin.planning.inverse import InverseKinematics
from refinery_twin.planning.motion import find_path, length_rad
from refinery_twin.planning.requests import TimedPath
from refinery_twin.planning.scene import PlanningScene
from refinery_twin.planning.timing import MotionLimits, Timer

_IK_ATTEMPTS = 20
_FINE_RAD = 0.002
"""Step in joint space of the final check, [rad]; between two checks no point of the arm moves by more than 4 mm."""


class Search:
    """Searches for the shortest path in a scene.

    Args:
        model: The arm.
        scene: The planning scene.
        inverse: Inverse kinematics of the arm.
        timer: Trajectory timing of the arm.
    """

    def __init__(self, model: ArmModel, scene: PlanningScene, inverse: InverseKinematics, timer: Timer) -> None:
        self._model, self._scene, self._inverse, self._timer = model, scene, inverse, timer

    def joint_aims(self, joints_rad: ArrayLike) -> list[Array]:
        """Return the goal joints of a joint goal.

        Raises:
            PlanningError: INVALID_GOAL_CONSTRAINTS or GOAL_IN_COLLISION.
        """
        joints = checked.seven(joints_rad, "goal", MoveItErrorCode.INVALID_GOAL_CONSTRAINTS)
        reason = checked.outside(self._model, joints)
        if reason is not None:
            raise checked.refused_goal(f"goal outside the limits: {reason}")
        if not self._scene.world.free(joints):
            pairs = touching(self._scene.world.contacts(joints))
            raise PlanningError(
                MoveItErrorCode.GOAL_IN_COLLISION, f"goal: {pairs}; choose another goal or move the object"
            )
        return [joints]

    def pose_aims(
        self, pose: Poses, link: str, start_rad: Array, attempts: int, rng: np.random.Generator, deadline: Deadline
    ) -> list[Array]:
        """Return the goal joints of a pose goal: free joints (7,) [rad], the nearest to the start first.

        Raises:
            PlanningError: GOAL_IN_COLLISION, NO_IK_SOLUTION or TIMED_OUT.
        """
        tries = max(_IK_ATTEMPTS, attempts)
        solutions = list(self._inverse.solutions(pose, link, start_rad, tries, rng, deadline))
        free = [joints for joints in solutions if self._scene.world.free(joints)]
        if not free:
            raise self.unsolved(pose, link, solutions[0] if solutions else None, deadline)
        return sorted(free, key=lambda joints: float(np.linalg.norm(joints - start_rad)))[:attempts]

    def path(
        self,
        start_rad: Array,
        aims: list[Array],
        limits: MotionLimits,
        attempts: int,
        rng: np.random.Generator,
        deadline: Deadline,
    ) -> TimedPath:
        """Plan several times and return the shortest path that stays free when it is timed.

        Raises:
            PlanningError: PLANNING_FAILED or TIMED_OUT.
        """
        world, paths = self._scene.world, []
        for attempt in range(attempts):
            if attempt and deadline.passed:
                break
            aim = aims[attempt % len(aims)]
            corners = find_path(self._model, world, start_rad, aim, int(rng.integers(2**31)), deadline)
            if corners is not None:
                paths.append(corners)
                # The nearest goal joints come first: the others are no shorter than a straight path to these.
                if len(corners) == 2 and attempt < len(aims):
                    break
        for corners in sorted(paths, key=length_rad):
            path = self._timed(corners, limits)
            if path is not None:
                return path
        if deadline.passed:
            raise PlanningError(
                MoveItErrorCode.TIMED_OUT, "expected a path around the objects in the time given, found none"
            )
        raise PlanningError(
            MoveItErrorCode.PLANNING_FAILED,
            f"expected a path around the objects of the scene, found none in {attempts} attempts; "
            "move the arm to where it has more room, or take objects away",
        )

    def unsolved(self, pose: Poses, link: str, colliding_rad: Array | None, deadline: Deadline) -> PlanningError:
        """Return why there is no free solution for a pose, given one that collides, if any."""
        where = "({:.3f}, {:.3f}, {:.3f}) m".format(*pose.pos_m[0])
        if colliding_rad is not None:
            pairs = touching(self._scene.world.contacts(colliding_rad))
            return PlanningError(
                MoveItErrorCode.GOAL_IN_COLLISION,
                f"{link} at {where}: all solutions found collide, the first one: {pairs}",
            )
        if deadline.passed:
            return PlanningError(
                MoveItErrorCode.TIMED_OUT, f"no inverse kinematics of {link} at {where} in the time given"
            )
        base = self._model.profile.frames.base
        return PlanningError(
            MoveItErrorCode.NO_IK_SOLUTION, f"{link} at {where} of {base} is out of reach in that orientation"
        )

    def _timed(self, corners_rad: Array, limits: MotionLimits) -> TimedPath | None:
        """Time a path with rounded corners or, if that collides, with a stop at each; None if both collide."""
        world = self._scene.world
        for stop in (False, True):
            path = self._timer.time(corners_rad, limits, stop_at_corners=stop)
            points = path.positions_rad
            if all(world.free_between(a, b, _FINE_RAD) for a, b in pairwise(points)):
                return path
        return None


def touching(contacts: tuple[tuple[str, str], ...]) -> str:
    """Return a phrase that names the pairs in contact."""
    return "; ".join(f"{first} touches {second}" for first, second in contacts) or "something touches"
