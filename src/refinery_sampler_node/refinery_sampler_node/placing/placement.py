"""One placement from goal to rest: wait until all is ready, choose, plan, execute and monitor, as one coroutine."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Time

from refinery.errors import NotReadyError, RefineryError
from refinery.rotations import angle_between_rad
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome
from refinery_ros.conversions import pose_stamped_message
from refinery_sampler_node.moveit.error_codes import MoveItError, check_code
from refinery_sampler_node.moveit.trajectory import Motion
from refinery_sampler_node.moveit.waiting import RunningGoal, Tick
from refinery_sampler_node.placing.arm_halt import HaltResult
from refinery_sampler_node.placing.execution_monitor import ExecutionMonitor
from refinery_sampler_node.placing.motion_guard import MotionGuard, PlacementEndedError
from refinery_sampler_node.placing.place_goal import GoalError, check_goal, check_model, choose_targets
from refinery_sampler_node.placing.placement_plan import PlacementPlan, rejection_summary
from refinery_sampler_node.placing.targets import Targets
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice

_READY_S = 3.0
"""Longest wait for the arm to be at rest, MoveIt to be ready and the socket estimate to be averaged, [s]."""
_ESTIMATE_S = 1.0
"""Longest wait for a first socket estimate, as after a reset, [s]."""


class Placement:
    """One placement.

    Args:
        resources: Resources of the active node.
        goal: The request.
        result: Filled in as the placement proceeds.
        now: Returns the time of the node's clock.
        tick: Awaited between steps; raises :class:`PlacementEndedError` to end the placement.
        pause: Awaited between steps of a halt, which nothing interrupts; raises nothing.
        feedback: Takes the share of the motion done and the phase.
        draw: Takes what is to be displayed.
    """

    def __init__(
        self,
        resources: SamplerResources,
        goal: Place.Goal,
        result: Place.Result,
        *,
        now: Callable[[], Time],
        tick: Tick,
        pause: Tick,
        feedback: Callable[[float, str], None],
        draw: Callable[[DisplayedChoice], None],
    ) -> None:
        self._resources = resources
        self._goal = goal
        self._result = result
        self._now = now
        self._tick = tick
        self._pause = pause
        self._feedback = feedback
        self._draw = draw
        self._plan: PlacementPlan | None = None
        self._running: RunningGoal | None = None
        self._halt: HaltResult | None = None
        self._report_note = ""
        self.started = False
        """Whether a motion was sent to MoveIt."""

    async def run(self) -> str:
        """Bring the arm to the goal; returns a sentence about its final pose.

        Raises:
            RefineryError: Refused (nothing moved) unless :attr:`started`.
            PlacementEndedError: Ended early.
        """
        self._feedback(0.0, "sampling")
        given = check_goal(self._resources, self._goal)
        await self._await_ready()
        check_model(self._resources)
        targets = choose_targets(self._resources, self._goal, given)
        plan = await self._planned(targets)
        # Last chance to cancel before anything moves.
        await self._tick()
        try:
            await self._execute(plan)
        except Exception:
            # Awaited, so that the pose reported is where the arm stays.
            if self._running is not None:
                self._halt = await self._resources.halt.until_rest(self._running, self._pause)
            raise
        except BaseException:
            self.hold()
            raise
        self._running = None
        return f"arrived, {self.report()}{_rank_note(plan)}{self._report_note}"

    def hold(self) -> None:
        """Request a halt of a moving arm, without waiting; does nothing if no motion was sent."""
        if self._running is not None:
            self._resources.halt.request(self._running)

    def report(self) -> str:
        """Fill in the measured tool pose and describe it in a few words."""
        if self._plan is None:
            return ""
        return "; ".join(part for part in (self._pose_report(self._plan), self._rest_warning()) if part)

    def _pose_report(self, plan: PlacementPlan) -> str:
        result, target = self._result, plan.target.tool
        try:
            measured = self._resources.arm.tool()
        except RefineryError as error:
            return f"but the pose of the arm could not be read: {error}"
        result.pose_reached = pose_stamped_message(measured, self._resources.profile.base_frame, self._now())
        result.position_error_m = float(np.linalg.norm(measured.pos_m - target.pos_m))
        result.rotation_error_rad = float(angle_between_rad(measured.quat_xyzw, target.quat_xyzw)[0])
        degrees = math.degrees(result.rotation_error_rad)
        return f"{1000 * result.position_error_m:.2f} mm and {degrees:.2f} deg from the requested pose"

    def _rest_warning(self) -> str | None:
        """Return a warning unless the arm is known to be at rest and to stay there."""
        halt = self._halt
        try:
            moving = not self._at_rest() or (halt is not None and not halt.at_rest)
        except NotReadyError as error:
            return f"whether the arm still moves is NOT KNOWN, look at the robot: {error}"
        if moving:
            return "THE ARM IS STILL MOVING, stop it at the robot"
        if halt is None or halt.over:
            return None
        name = self._resources.profile.moveit.execute_trajectory
        return f"the arm rests, but {name} has not reported the end of its goal; is move_group still running?"

    async def _await_ready(self) -> None:
        """Wait until the arm rests, MoveIt is ready and, if it is needed, the socket estimate is fully averaged."""
        resources, deadline, seen = self._resources, time.monotonic() + _READY_S, self._resources.estimates.count
        first_estimate = time.monotonic() + _ESTIMATE_S
        while True:
            await self._tick()
            resting = self._at_rest()
            averaged = self._goal.use_pose or self._averaged(first_estimate)
            late = time.monotonic() > deadline
            if resting and (late or (averaged and not resources.moveit.missing())):
                break
            if late:
                speed = float(np.abs(resources.arm.joints()[1]).max())
                raise NotReadyError(
                    f"the arm has not come to rest for {_READY_S} s (a joint moves at {speed:.2f} rad/s); "
                    "is another controller moving it?"
                )
        # A slow stream of estimates is no reason to refuse; a socket that keeps moving is.
        if not averaged and resources.estimates.count - seen > resources.estimates.window:
            raise RequestError(
                "BAD_SOCKET_POSE",
                f"the socket estimate has not come to rest for {_READY_S:g} s: expected the last "
                f"{resources.estimates.window} to agree; is the socket being moved?",
            )
        resources.moveit.check_ready()

    def _at_rest(self) -> bool:
        velocities = self._resources.arm.joints()[1]
        return bool(np.abs(velocities).max() < self._resources.tolerances.rest_rad_s)

    def _averaged(self, patience: float) -> bool:
        """Return whether the socket estimate is fully averaged; until ``patience`` (monotonic) it may be missing."""
        try:
            return self._resources.estimates.mean().span >= self._resources.estimates.window
        except RequestError:
            if time.monotonic() > patience:
                raise
            return False

    async def _planned(self, targets: Targets) -> PlacementPlan:
        resources = self._resources
        self._show(targets, None)
        self._feedback(0.0, "planning")
        start = resources.arm.joints()[0]
        plan = await resources.planner.plan(
            targets.ranked,
            start,
            targets.socket,
            self._tick,
            patience_s=self._goal.max_duration_s,
            empty_hand=self._goal.empty_hand,
        )
        target = plan.target
        self._plan = plan
        self._result.pose_goal = pose_stamped_message(target.tool, resources.profile.base_frame, self._now())
        if target.theta is not None:
            self._result.theta = target.theta.tolist()
            self._result.success_probability = target.success
        self._show(targets, plan)
        if plan.duration_s > self._goal.max_duration_s:
            raise GoalError(
                f"max_duration_s: expected at least the {plan.duration_s:.1f} s that the motion takes, "
                f"got {self._goal.max_duration_s}"
            )
        return plan

    async def _execute(self, plan: PlacementPlan) -> None:
        """Have MoveIt execute the plan, and monitor the arm until it has arrived."""
        limit_s, done_s = self._goal.max_duration_s, 0.0
        guard = MotionGuard(self._resources, self._resources.clock.now_s() + limit_s, limit_s)
        for segment in plan.segments:
            # With one segment its scene is still in place from planning.
            if len(plan.segments) > 1:
                await self._resources.moveit.apply(segment.scene, self._tick)
            begin, done_s = done_s / plan.duration_s, done_s + segment.motion.duration_s
            await self._execute_motion(segment.motion, guard, begin, done_s / plan.duration_s)

    async def _execute_motion(self, motion: Motion, guard: MotionGuard, begin: float, end: float) -> None:
        monitor = ExecutionMonitor(motion, self._resources.clock.now_s(), self._resources.tolerances)
        guard.restart()
        self.started = True
        self._running = running = self._resources.moveit.execute(motion)
        finished = False
        while True:
            await self._tick()
            measured = guard.measure()
            if running.done and not finished:
                self._check_end(running)
                finished = True
            if measured is None:
                continue
            now_s, joints, velocities = measured
            share = monitor.share(now_s)
            progress = begin + share * (end - begin)
            self._feedback(progress, "settling" if progress >= 1 else "moving")
            deviation = None if finished else monitor.path_deviation(now_s, joints)
            if deviation is not None:
                raise PlacementEndedError(Outcome.STOPPED, deviation.message)
            if monitor.settled(now_s, joints, velocities):
                return await self._await_report(running, monitor)
            deviation = monitor.overdue(now_s, joints, velocities)
            if deviation is not None:
                raise PlacementEndedError(Outcome.FAILED, deviation.message)

    async def _await_report(self, running: RunningGoal, monitor: ExecutionMonitor) -> None:
        """Wait until MoveIt reports the end of a motion whose end is measured.

        The arm's pose is measured, so a report that is late or lost does not make the motion a failure: the goal is
        cancelled, and the joints are checked again.
        """
        # By the wall clock: a message takes as long in a cell that runs faster than real time.
        grace_s = self._resources.tolerances.grace_s
        end = time.monotonic() + grace_s
        while not running.done and time.monotonic() < end:
            await self._tick()
        if running.done:
            self._check_end(running)
        else:
            halt = await self._resources.halt.until_rest(running, self._pause)
            if not halt.at_rest:
                raise PlacementEndedError(Outcome.FAILED, "the arm had arrived and moves again")
            self._report_note = f"; {running.name} did not report its end within {grace_s:g} s and was cancelled"
        deviation = monitor.goal_deviation(self._resources.arm.joints()[0])
        if deviation is not None:
            raise PlacementEndedError(Outcome.FAILED, f"the arm had arrived and left again: {deviation.message}")

    def _check_end(self, running: RunningGoal) -> None:
        if not running.accepted:
            raise PlacementEndedError(
                Outcome.REFUSED, f"{running.name}: move_group rejected the goal; its log says why"
            )
        try:
            check_code(running.result().error_code, running.name)
        except MoveItError as error:
            outcome = error.meaning.outcome
            # The motion was sent: the arm may have moved.
            raise PlacementEndedError(Outcome.FAILED if outcome == Outcome.REFUSED else outcome, str(error)) from None

    def _show(self, targets: Targets, plan: PlacementPlan | None) -> None:
        if targets.choice is None or targets.socket is None:
            return
        rejected = () if plan is None else plan.rejected
        self._draw(
            DisplayedChoice(
                choice=targets.choice,
                mixture=self._resources.sampler.bundle.initial_states.mixture,
                socket=targets.socket,
                chosen=len(rejected),
                rejected=tuple(each.reason for each in rejected),
                approach=None if plan is None else (plan.standoff, plan.target.tool),
            )
        )


def _rank_note(plan: PlacementPlan) -> str:
    if not plan.rejected:
        return ""
    return f"; sample {len(plan.rejected) + 1} by rank, rejected before: {rejection_summary(plan.rejected)}"
