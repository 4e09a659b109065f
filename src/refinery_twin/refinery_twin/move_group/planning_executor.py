"""The planner with its scene, shared by all requests, and the one thread that may use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from moveit_msgs.msg import PlanningScene, RobotState
from trajectory_msgs.msg import JointTrajectory

from refinery.rotations import Array
from refinery_ros.conversions import seconds
from refinery_twin.move_group.execution import ordered
from refinery_twin.move_group.goal_arbiter import preempted
from refinery_twin.move_group.scene_keeper import SceneKeeper
from refinery_twin.move_group.waiting import Waiter, Worker
from refinery_twin.planning import Planner

T = TypeVar("T")
_STEP_RAD = 0.01
_NO_CHANGE = PlanningScene(is_diff=True)
_PRESENT = RobotState(is_diff=True)


def _no_problem() -> str | None:
    return None


class PlanningExecutor:
    """Executes jobs for the planner in its thread and awaits them.

    Args:
        planner: The planner, used by the worker's thread only.
        worker: The thread.
        waiter: For waiting.
        seed: Seed of all random numbers.
    """

    def __init__(self, planner: Planner, worker: Worker, waiter: Waiter, seed: int) -> None:
        self._planner, self._worker, self._waiter = planner, worker, waiter
        self.scene = SceneKeeper(planner)
        """The scene, used by the worker's thread only, except for its count of lasting changes."""
        self.seed = seed
        """Seed of all random numbers."""

    async def do(self, job: Callable[[Planner], T], problem: Callable[[], str | None] = _no_problem) -> T:
        """Execute a job in the planning thread.

        Args:
            job: Called in that thread.
            problem: Returns why the result is no longer needed, or None.

        Returns:
            What the job returns; what it raises is raised here.

        Raises:
            PlanningError: PREEMPTED with the problem; the job itself runs to its end.
        """
        running = self._worker.start(lambda: job(self._planner))
        await self._waiter.until(lambda: running.done() or problem() is not None)
        if not running.done():
            running.cancel()
            raise preempted(problem() or "no longer needed")
        return running.result()

    async def do_in(
        self,
        difference: PlanningScene,
        start: RobotState,
        joints_rad: Array,
        job: Callable[[Planner], T],
        problem: Callable[[], str | None] = _no_problem,
    ) -> T:
        """As :meth:`do`, in a scene that is changed for the duration of the job, see :meth:`SceneKeeper.changed`."""

        def in_scene(planner: Planner) -> T:
            with self.scene.changed(difference, start, joints_rad):
                return job(planner)

        return await self.do(in_scene, problem)

    def blocked(self, trajectory: JointTrajectory, difference: PlanningScene = _NO_CHANGE) -> Callable[[float], Any]:
        """Return a coroutine function that returns why a trajectory collides from a time [s] on in a scene, or None."""

        async def look(time_s: float) -> str | None:
            profile = self._planner.profile
            points = ordered(trajectory, profile)
            times = np.array([seconds(point.time_from_start) for point in trajectory.points])
            rest = points[max(0, int(np.searchsorted(times, time_s, side="right")) - 1) :]
            return await self.do_in(difference, _PRESENT, rest[0], lambda planner: _collision(planner, rest))

        return look

    def changes(self) -> Callable[[], bool]:
        """Return a function that returns whether the scene has changed since its last call."""
        seen = [self.scene.lasting]

        def changed() -> bool:
            before, seen[0] = seen[0], self.scene.lasting
            return seen[0] != before

        return changed


def _collision(planner: Planner, points_rad: Array) -> str | None:
    """Return the first collision along points, shape (P, 7), [rad], or None."""
    world = planner.scene.world
    for first, second in zip(points_rad, points_rad[1:] if len(points_rad) > 1 else points_rad, strict=False):
        if not world.free_between(first, second, _STEP_RAD):
            where = next((q for q in (first, second, (first + second) / 2) if not world.free(q)), second)
            return f"the trajectory would collide in the scene as it is now: {planner.check_state(where).reason}"
    return None
