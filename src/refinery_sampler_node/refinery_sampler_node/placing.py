"""One placement from goal to rest: wait until all is ready, choose, plan, move and watch, as code that awaits ticks."""

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
from refinery_sampler_node.conversions import pose_to_stamped
from refinery_sampler_node.drawing import Drawing
from refinery_sampler_node.halting import Halted
from refinery_sampler_node.motion_guard import EndedError, MotionGuard
from refinery_sampler_node.moveit.error_codes import MoveItError, check_code
from refinery_sampler_node.moveit.trajectory import Motion
from refinery_sampler_node.moveit.waiting import RunningGoal, Tick
from refinery_sampler_node.place_goal import GoalError, check_goal, check_model, choose_targets
from refinery_sampler_node.requests import RequestError
from refinery_sampler_node.station import Station
from refinery_sampler_node.targets import Targets
from refinery_sampler_node.watching import MotionWatch
from refinery_sampler_node.way import Way, reasons_of

_READY_S = 3.0
"""Longest wait for the arm to be at rest, MoveIt to be there and the socket estimate to be averaged, [s]."""
_ESTIMATE_S = 1.0
"""Longest wait for a first socket estimate (after a reset, say), [s]."""


class Placing:
    """One placement.

    Args:
        station: Of the active node.
        goal: What is asked for.
        result: Filled in on the way.
        now: Returns the time of the node's clock.
        tick: Awaited between steps; raises :class:`EndedError` to end the placement.
        pause: Awaited between steps of a halt, which nothing cuts short; raises nothing.
        feedback: Takes the share of the motion done and the phase.
        draw: Takes what is to be shown.
    """

    def __init__(
        self,
        station: Station,
        goal: Place.Goal,
        result: Place.Result,
        *,
        now: Callable[[], Time],
        tick: Tick,
        pause: Tick,
        feedback: Callable[[float, str], None],
        draw: Callable[[Drawing], None],
    ) -> None:
        self._station = station
        self._goal = goal
        self._result = result
        self._now = now
        self._tick = tick
        self._pause = pause
        self._feedback = feedback
        self._draw = draw
        self._way: Way | None = None
        self._running: RunningGoal | None = None
        self._halted: Halted | None = None
        self._unreported = ""
        self.started = False
        """Whether a motion was sent to MoveIt."""

    async def run(self) -> str:
        """Bring the arm to the goal; returns a sentence about where it is.

        Raises:
            RefineryError: Refused (nothing moved) unless :attr:`started`.
            EndedError: Ended early.
        """
        self._feedback(0.0, "sampling")
        given = check_goal(self._station, self._goal)
        await self._await_ready()
        check_model(self._station)
        targets = choose_targets(self._station, self._goal, given)
        way = await self._plan(targets)
        # Last chance to cancel before anything moves.
        await self._tick()
        try:
            await self._follow(way)
        except Exception:
            # So that the pose reported is where the arm stays.
            if self._running is not None:
                self._halted = await self._station.halt.until_rest(self._running, self._pause)
            raise
        except BaseException:
            self.hold()
            raise
        self._running = None
        return f"arrived, {self.report()}{_tried(way)}{self._unreported}"

    def hold(self) -> None:
        """Tell a moving arm to come to rest, at once and without waiting; does nothing if none was told to move."""
        if self._running is not None:
            self._station.halt.ask(self._running)

    def report(self) -> str:
        """Fill in where the tool is, as measured, and say so in a few words."""
        if self._way is None:
            return ""
        return "; ".join(part for part in (self._where(self._way), self._rest()) if part)

    def _where(self, way: Way) -> str:
        result, target = self._result, way.target.tool
        try:
            measured = self._station.arm.tool()
        except RefineryError as error:
            return f"but where the arm is could not be read: {error}"
        result.pose_reached = pose_to_stamped(measured, self._station.profile.base_frame, self._now())
        result.position_error_m = float(np.linalg.norm(measured.pos_m - target.pos_m))
        result.rotation_error_rad = float(angle_between_rad(measured.quat_xyzw, target.quat_xyzw)[0])
        degrees = math.degrees(result.rotation_error_rad)
        return f"{1000 * result.position_error_m:.2f} mm and {degrees:.2f} deg from the pose asked for"

    def _rest(self) -> str:
        """Say what is not as it should be about the arm's rest; empty if it is known to rest and to stay so."""
        halted = self._halted
        try:
            moving = not self._resting() or (halted is not None and not halted.at_rest)
        except NotReadyError as error:
            return f"whether the arm still moves is NOT KNOWN, look at the robot: {error}"
        if moving:
            return "THE ARM IS STILL MOVING, stop it at the robot"
        if halted is None or halted.over:
            return ""
        name = self._station.profile.moveit.execute_trajectory
        return f"the arm rests, but {name} has not said that its goal is over; is move_group still running?"

    async def _await_ready(self) -> None:
        """Wait until the arm rests, MoveIt is there and, where it is needed, the socket estimate is fully averaged."""
        station, deadline, seen = self._station, time.monotonic() + _READY_S, self._station.estimates.count
        first_estimate = time.monotonic() + _ESTIMATE_S
        while True:
            await self._tick()
            resting = self._resting()
            averaged = self._goal.use_pose or self._averaged(first_estimate)
            late = time.monotonic() > deadline
            if resting and (late or (averaged and not station.moveit.missing())):
                break
            if late:
                speed = float(np.abs(station.arm.joints()[1]).max())
                raise NotReadyError(
                    f"the arm has not come to rest for {_READY_S} s (a joint moves at {speed:.2f} rad/s); "
                    "is another controller moving it?"
                )
        # A slow stream of estimates is no reason to refuse; a socket that keeps moving is.
        if not averaged and station.estimates.count - seen > station.estimates.window:
            raise RequestError(
                "BAD_SOCKET_POSE",
                f"the socket estimate has not come to rest for {_READY_S:g} s: expected the last "
                f"{station.estimates.window} to agree; is the socket being moved?",
            )
        station.moveit.check_ready()

    def _resting(self) -> bool:
        velocities = self._station.arm.joints()[1]
        return bool(np.abs(velocities).max() < self._station.tolerances.rest_rad_s)

    def _averaged(self, patience: float) -> bool:
        """Tell whether the socket estimate is fully averaged; until ``patience`` (monotonic) there may be none yet."""
        try:
            return self._station.estimates.mean().span >= self._station.estimates.window
        except RequestError:
            if time.monotonic() > patience:
                raise
            return False

    async def _plan(self, targets: Targets) -> Way:
        station = self._station
        self._show(targets, None)
        self._feedback(0.0, "planning")
        start = station.arm.joints()[0]
        way = await station.ways.find(
            targets.ranked, start, targets.socket, self._tick, patience_s=self._goal.max_duration_s
        )
        target = way.target
        self._way = way
        self._result.pose_goal = pose_to_stamped(target.tool, station.profile.base_frame, self._now())
        if target.theta is not None:
            self._result.theta = target.theta.tolist()
            self._result.success_probability = target.success
        self._show(targets, way)
        if way.duration_s > self._goal.max_duration_s:
            raise GoalError(
                f"max_duration_s: expected at least the {way.duration_s:.1f} s that the way takes, "
                f"got {self._goal.max_duration_s}"
            )
        return way

    async def _follow(self, way: Way) -> None:
        """Have MoveIt execute the way, and watch the arm until it has arrived."""
        limit_s, done_s = self._goal.max_duration_s, 0.0
        guard = MotionGuard(self._station, self._now_s, self._now_s() + limit_s, limit_s)
        for leg in way.legs:
            # With one leg its scene is still there from planning.
            if len(way.legs) > 1:
                await self._station.moveit.apply(leg.scene, self._tick)
            begin, done_s = done_s / way.duration_s, done_s + leg.motion.duration_s
            await self._execute(leg.motion, guard, begin, done_s / way.duration_s)

    async def _execute(self, motion: Motion, guard: MotionGuard, begin: float, end: float) -> None:
        watch = MotionWatch(motion, self._now_s(), self._station.tolerances)
        guard.renew()
        self.started = True
        self._running = running = self._station.moveit.execute(motion)
        finished = False
        while True:
            await self._tick()
            measured = guard.look()
            if running.done and not finished:
                self._check_end(running)
                finished = True
            if measured is None:
                continue
            now_s, joints, velocities = measured
            share = watch.share(now_s)
            progress = begin + share * (end - begin)
            self._feedback(progress, "settling" if progress >= 1 else "moving")
            reason = "" if finished else watch.off_the_way(now_s, joints)
            if reason:
                raise EndedError(Outcome.STOPPED, reason)
            if watch.settled(now_s, joints, velocities):
                return await self._await_report(running, watch)
            reason = watch.late(now_s, joints, velocities)
            if reason:
                raise EndedError(Outcome.FAILED, reason)

    async def _await_report(self, running: RunningGoal, watch: MotionWatch) -> None:
        """Wait until MoveIt reports the end of a motion whose end is measured.

        Where the arm is, is measured, so a report that is late or lost does not make it a failure: what MoveIt may
        still have to do is called off, and the arm is looked at again.
        """
        # By the wall clock: a message's way takes as long in a cell that runs faster than real time.
        grace_s = self._station.tolerances.grace_s
        end = time.monotonic() + grace_s
        while not running.done and time.monotonic() < end:
            await self._tick()
        if running.done:
            self._check_end(running)
        else:
            halted = await self._station.halt.until_rest(running, self._pause)
            if not halted.at_rest:
                raise EndedError(Outcome.FAILED, "the arm had arrived and moves again")
            self._unreported = f"; {running.name} did not report its end within {grace_s:g} s and was called off"
        away = watch.away(self._station.arm.joints()[0])
        if away:
            raise EndedError(Outcome.FAILED, f"the arm had arrived and left again: {away}")

    def _check_end(self, running: RunningGoal) -> None:
        if not running.accepted:
            raise EndedError(Outcome.REFUSED, f"{running.name}: move_group rejected the goal; its log says why")
        try:
            check_code(running.result().error_code, running.name)
        except MoveItError as error:
            outcome = error.verdict.outcome
            # The arm was told to move: it may have.
            raise EndedError(Outcome.FAILED if outcome == Outcome.REFUSED else outcome, str(error)) from None

    def _show(self, targets: Targets, way: Way | None) -> None:
        if targets.choice is None or targets.socket is None:
            return
        turned_down = () if way is None else way.turned_down
        self._draw(
            Drawing(
                choice=targets.choice,
                socket=targets.socket,
                chosen=len(turned_down),
                turned_down=tuple(each.reason for each in turned_down),
                approach=None if way is None else (way.above, way.target.tool),
            )
        )

    def _now_s(self) -> float:
        now = self._now()
        return now.sec + 1e-9 * now.nanosec


def _tried(way: Way) -> str:
    if not way.turned_down:
        return ""
    return f"; sample {len(way.turned_down) + 1} by rank, turned down: {reasons_of(way.turned_down)}"
