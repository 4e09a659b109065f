"""One placement from goal to rest: wait until all is ready, choose, plan, move and watch, as code that awaits ticks."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable

import numpy as np
from builtin_interfaces.msg import Time

from refinery.errors import NotReadyError, RefineryError
from refinery.rotations import Poses, angle_between_rad
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome
from refinery_sampler_node.candidates import Choice
from refinery_sampler_node.conversions import hold_message, pose_to_stamped, trajectory_message
from refinery_sampler_node.joint_path import JointPath
from refinery_sampler_node.motion import MotionMonitor, Progress, stopping_point
from refinery_sampler_node.place_goal import GoalError, check_goal, check_model, choose_target
from refinery_sampler_node.placement import plan_placement
from refinery_sampler_node.requests import RequestError
from refinery_sampler_node.station import Station

_READY_S = 3.0
"""Longest wait for the arm to be at rest and the socket estimate to be averaged, [s]."""
_ESTIMATE_S = 1.0
"""Longest wait for a first socket estimate (after a reset, say), [s]."""
_STOP_S = 3.0
"""Longest wait for the arm to come to rest after a stop, [s]."""
_FRESH_S = 0.1
"""Joint states older than this do not say where a moving arm is, [s]."""
_LOST_TICKS = 3
"""Joint states too old at this many ticks in a row, and once more, stop a motion."""


class EndedError(Exception):
    """A placement is over before the arm arrived; carries the outcome and a sentence."""

    def __init__(self, outcome: int, message: str) -> None:
        super().__init__(message)
        self.outcome = outcome


class Placing:
    """One placement.

    Args:
        station: Of the active node.
        goal: What is asked for.
        result: Filled in on the way.
        now: Returns the time of the node's clock.
        tick: Awaited between steps; raises :class:`EndedError` to end the placement.
        feedback: Takes the share of the motion done and the phase.
        on_choice: Takes a sampled initial state and the socket pose, for display.
    """

    def __init__(
        self,
        station: Station,
        goal: Place.Goal,
        result: Place.Result,
        *,
        now: Callable[[], Time],
        tick: Callable[[], Awaitable[None]],
        feedback: Callable[[float, str], None],
        on_choice: Callable[[Choice, Poses], None],
    ) -> None:
        self._station = station
        self._goal = goal
        self._result = result
        self._now = now
        self._tick = tick
        self._feedback = feedback
        self._on_choice = on_choice
        self._target: Poses | None = None
        self._path: JointPath | None = None
        self._sent_s = 0.0
        self.started = False
        """Whether a trajectory was sent."""
        self.moving = False
        """Whether the arm is still to be brought to rest."""

    async def run(self) -> str:
        """Bring the arm to the goal; returns a sentence about where it is.

        Raises:
            RefineryError: Refused (nothing moved) unless :attr:`started`.
            EndedError: EndedError early.
        """
        self._feedback(0.0, "sampling")
        check_goal(self._station, self._goal)
        await self._await_ready()
        path = self._plan()
        # Last chance to cancel before anything moves.
        await self._tick()
        try:
            await self._follow(path)
        except (EndedError, RefineryError):
            self.hold()
            await self._await_rest()
            raise
        return f"arrived, {self.report()}"

    def hold(self) -> None:
        """Bring a moving arm to rest as soon as its acceleration limits allow; does nothing otherwise."""
        if not self.moving or self._path is None:
            return
        self.moving = False
        station = self._station
        try:
            joints, velocities = station.arm.joints(_FRESH_S)
        except NotReadyError:
            # Blind: the arm was on its way when last seen, so it is brought to rest on the way.
            spline, elapsed = self._path.spline, min(self._now_s() - self._sent_s, self._path.duration_s)
            joints, velocities = np.asarray(spline(max(elapsed, 0.0))), np.asarray(spline(max(elapsed, 0.0), 1))
        point, after_s = stopping_point(joints, velocities, station.limits.acceleration_rad_s2)
        station.trajectories.publish(hold_message(point, after_s, station.profile.joint_names))

    def report(self) -> str:
        """Fill in where the tool is, as measured, and say so in a few words."""
        if self._target is None:
            return ""
        try:
            measured = self._station.arm.tool()
        except RefineryError as error:
            return f"but the tool pose could not be read: {error}"
        result = self._result
        result.pose_reached = pose_to_stamped(measured, self._station.profile.base_frame, self._now())
        result.position_error_m = float(np.linalg.norm(measured.pos_m - self._target.pos_m))
        result.rotation_error_rad = float(angle_between_rad(measured.quat_xyzw, self._target.quat_xyzw)[0])
        degrees = math.degrees(result.rotation_error_rad)
        return f"{1000 * result.position_error_m:.2f} mm and {degrees:.2f} deg from the pose asked for"

    async def _await_ready(self) -> None:
        """Wait until the arm rests and, where it is needed, the socket estimate is fully averaged."""
        station, deadline = self._station, time.monotonic() + _READY_S
        first_estimate = time.monotonic() + _ESTIMATE_S
        while True:
            await self._tick()
            speed = float(np.abs(station.arm.joints()[1]).max())
            resting = speed < station.tolerances.rest_rad_s
            averaged = self._goal.use_pose or self._averaged(first_estimate)
            late = time.monotonic() > deadline
            # A slow stream of estimates is no reason to refuse; a moving arm is.
            if resting and (averaged or late):
                return
            if late:
                raise NotReadyError(
                    f"the arm has not come to rest for {_READY_S} s (a joint moves at {speed:.2f} rad/s); "
                    "is another controller moving it?"
                )

    def _averaged(self, patience: float) -> bool:
        """Tell whether the socket estimate is fully averaged; until ``patience`` (monotonic) there may be none yet."""
        try:
            return self._station.estimates.mean().count >= self._station.estimates.window
        except RequestError:
            if time.monotonic() > patience:
                raise
            return False

    def _plan(self) -> JointPath:
        station, goal = self._station, self._goal
        check_model(station)
        if not station.trajectories.get_subscription_count():
            topic = station.trajectories.topic_name
            raise NotReadyError(f"nobody listens on {topic}; is the trajectory controller loaded?")
        target = choose_target(station, goal)
        self._target = target.tool
        self._result.pose_goal = pose_to_stamped(target.tool, station.profile.base_frame, self._now())
        if target.choice is not None:
            self._result.theta = target.choice.theta[0].tolist()
            self._result.success_probability = float(target.choice.success.mean[0])
            self._on_choice(target.choice, target.up)
        self._feedback(0.0, "planning")
        path = plan_placement(
            station.kinematics,
            start_rad=station.arm.joints()[0],
            goal_rad=target.joints_rad,
            socket=target.up,
            limits=station.limits,
            lift_m=station.parameters.lift_m,
        )
        if path.duration_s > goal.max_duration_s:
            raise GoalError(
                f"max_duration_s: expected at least the {path.duration_s:.1f} s that the way takes, "
                f"got {goal.max_duration_s}"
            )
        return path

    async def _follow(self, path: JointPath) -> None:
        """Send the way and watch the arm until it has arrived."""
        station = self._station
        max_age_s = station.parameters.state_max_age_s
        self._path, self._sent_s = path, self._now_s()
        monitor = MotionMonitor(path, self._sent_s, station.tolerances)
        clock_s, advanced, lost = self._sent_s, time.monotonic(), 0
        seen = station.arm.count
        station.trajectories.publish(trajectory_message(path, station.profile.joint_names))
        self.started = self.moving = True
        while True:
            await self._tick()
            now_s = self._now_s()
            if now_s != clock_s:
                clock_s, advanced = now_s, time.monotonic()
            elif time.monotonic() - advanced > max_age_s:
                raise EndedError(Outcome.STOPPED, f"the ROS clock stood still for {max_age_s} s; is /clock published?")
            try:
                joints, velocities = station.arm.joints()
            except NotReadyError:
                # A long request may have kept this process busy: fresh states are taken in before the next ticks.
                lost += 1
                if lost > _LOST_TICKS:
                    raise
                continue
            lost = 0
            if now_s - self._sent_s > self._goal.max_duration_s:
                raise EndedError(Outcome.TIMED_OUT, f"not there after max_duration_s = {self._goal.max_duration_s} s")
            # An old measurement against the present time would look like an arm that does not follow.
            if station.arm.count == seen:
                continue
            seen = station.arm.count
            progress = monitor.update(now_s, joints, velocities)
            self._feedback(monitor.share, "moving" if monitor.share < 1 else "settling")
            if progress is Progress.ARRIVED:
                self.moving = False
                return
            if progress is Progress.OFF_THE_WAY:
                raise EndedError(Outcome.STOPPED, monitor.reason)
            if progress is Progress.LATE:
                raise EndedError(Outcome.FAILED, monitor.reason)

    async def _await_rest(self) -> None:
        """Give the arm time to come to rest, so that the pose reported is where it stays."""
        deadline = time.monotonic() + _STOP_S
        while time.monotonic() < deadline:
            try:
                await self._tick()
            except EndedError as end:
                # A cancelled goal stays cancelled; only being told to end at once cuts the wait short.
                if end.outcome != Outcome.CANCELLED:
                    return
            try:
                if float(np.abs(self._station.arm.joints()[1]).max()) < self._station.tolerances.rest_rad_s:
                    return
            except NotReadyError:
                return

    def _now_s(self) -> float:
        now = self._now()
        return now.sec + 1e-9 * now.nanosec
