"""The ``insert`` action: checks, hands the arm over, runs one insertion, hands the arm back, reports."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle

from refinery.errors import RefineryError
from refinery.grasp import requested_grasp
from refinery.tick.guard import GuardDecision, Level, Reason
from refinery.tick.samples import Inputs
from refinery_msgs.action import Insert
from refinery_msgs.msg import Outcome
from refinery_policy_node.activation import check_only_publisher
from refinery_policy_node.insertion import Ending, Insertion
from refinery_policy_node.messages import pose_message, reason_message
from refinery_policy_node.rest_check import RestLook, agreed, check_offset
from refinery_policy_node.station import Station
from refinery_ros.lifecycle import ManagedNode


class InsertServer:
    """Serves insertions one at a time.

    Args:
        node: The node.
        on_change: Called when an insertion begins, when its guard changes its mind, and when it ends.
    """

    def __init__(self, node: ManagedNode, on_change: Callable[[], None]) -> None:
        self._node = node
        self._on_change = node.guarded("status", on_change)
        self._busy = False
        self._handed_over = False
        self._count = 0
        self._station: Station | None = None
        self.insertion: Insertion | None = None
        """The insertion in progress."""
        self.interrupted: GuardDecision | None = None
        """Why the insertion in progress must end."""
        on_cancel = node.guarded("cancellation of insert", self._on_cancel, CancelResponse.ACCEPT)
        self._server = ActionServer(node, Insert, "insert", self._execute, cancel_callback=on_cancel)

    @property
    def busy(self) -> bool:
        """Whether an insertion is in progress, hand-over and hand-back included."""
        return self._busy

    def serve(self, station: Station | None) -> None:
        """Begin to serve insertions with this station, or refuse them from now on (None)."""
        self._station = station

    def interrupt(self, outcome: int, decision: GuardDecision) -> None:
        """End the insertion in progress with a hold; the arm is handed back by the action's own course."""
        if self._busy and self.interrupted is None:
            self.interrupted = decision
            if self.insertion is not None:
                self.insertion.stop(outcome, decision)

    def fail(self, error: Exception) -> None:
        """Let an insertion that could not even be ended return; see :meth:`Insertion.fail`."""
        if self.insertion is not None:
            self.insertion.fail(error)

    def hand_back_now(self, station: Station) -> str:
        """Hand the arm back at once, inside a transition; returns what went wrong."""
        if not self._handed_over:
            return ""
        self._handed_over = False
        return station.switch.switch_blocking(impedance=False)

    def destroy(self) -> None:
        """End the server."""
        self._server.destroy()

    def _on_cancel(self, _goal: ServerGoalHandle) -> CancelResponse:
        # Hold now, not when the coroutine next runs.
        decision = GuardDecision(
            level=Level.HOLD, reason=Reason.CANCELLED, message="the client cancelled the insertion"
        )
        self.interrupt(Outcome.CANCELLED, decision)
        return CancelResponse.ACCEPT

    async def _execute(self, goal: ServerGoalHandle) -> Insert.Result:
        refusal = self._refusal(goal.request)
        if refusal.level is not Level.OK:
            return self._finish(goal, _refused(refusal))
        station = self._station
        assert station is not None
        self._busy, self.interrupted = True, None
        self._count += 1
        try:
            result = await self._insert(goal, station)
            self._record(goal.request.trial_id, station)
        except Exception as error:
            # Left to rclpy, the client would get an empty result, which reads as a success.
            self._node.defect("insert", error)
            result = await self._give_up(station, error)
        finally:
            self._busy, self.insertion = False, None
            self._on_change()
        return self._finish(goal, result)

    async def _insert(self, goal: ServerGoalHandle, station: Station) -> Insert.Result:
        inputs, decision = await self._look(goal.request, station)
        if inputs is None or decision.level is not Level.OK:
            return self._not_begun(decision)
        station.topics.publish_stiffness(station.runtime.task.control.stiffness)
        # The impedance controller must find this target when it wakes up, not one left over from last time.
        station.topics.publish_target(inputs.measured.pose())
        self._handed_over = True
        problem = await station.switch.switch(impedance=True)
        if problem:
            await self._hand_back(station)
            reason = Reason.CONTROLLER_SWITCH_FAILED
            return _refused(
                GuardDecision(level=Level.STOP, reason=reason, message=f"the arm was not handed over: {problem}")
            )
        grasp = requested_grasp(goal.request.grasp, station.runtime.task)
        self.insertion = Insertion(
            self._node,
            station.runtime,
            station.topics,
            inputs,
            grasp=grasp,
            handover_s=station.parameters.handover_s,
            command_rate_hz=station.parameters.command_rate_hz,
            timeout_s=goal.request.timeout_s,
            on_tick=lambda: self._feedback(goal, station),
            on_change=self._on_change,
        )
        self._on_change()
        if self.interrupted is not None:
            self.insertion.stop(_outcome_of(self.interrupted), self.interrupted)
        ending: Ending = await self.insertion.ended
        if left_out := station.runtime.estimates.left_out:
            self._node.get_logger().warning(f"{left_out} of {ending.ticks} socket estimates were left out as outliers")
        problem = await self._hand_back(station)
        return self._result(ending, station, problem)

    async def _look(self, goal: Insert.Goal, station: Station) -> tuple[Inputs | None, GuardDecision]:
        """Look at the arm at rest; returns the samples to start from, or why not to start."""
        samples = await RestLook(station.topics).run(self._node)
        runtime = station.runtime
        inputs, decision = agreed(samples, runtime.guard.settings, runtime.part.symmetry)
        if inputs is not None:
            decision = runtime.check_start(inputs, requested_grasp(goal.grasp, runtime.task))
        if decision.level is Level.OK:
            decision = check_offset(self._node, samples, runtime.task, runtime.guard.settings)
        return inputs, self.interrupted or decision

    def _not_begun(self, why: GuardDecision) -> Insert.Result:
        """Return the result of an insertion that was refused, or ended before the arm was handed over."""
        result = _refused(why)
        if why is self.interrupted:
            result.outcome.value = _outcome_of(why)
        return result

    async def _give_up(self, station: Station, error: Exception) -> Insert.Result:
        """Hand the arm back after a defect and return what the client is told."""
        latched = station.runtime.guard.latched
        try:
            problem = await self._hand_back(station)
        except Exception as another:
            self._node.defect("hand-back", another)
            problem = station.switch.switch_blocking(impedance=False) if self._handed_over else ""
            self._handed_over = bool(problem)
        result = _refused(latched)
        note = f"; the arm was not handed back: {problem}" if problem else ""
        result.outcome = Outcome(value=Outcome.STOPPED, message=f"{latched.message or error}{note}")
        return result

    async def _hand_back(self, station: Station) -> str:
        if not self._handed_over:
            return ""
        problem = await station.switch.switch(impedance=False)
        # As long as the arm is not back, a deactivation or the end of the process tries again.
        self._handed_over = bool(problem)
        if problem:
            station.runtime.guard.stop(Reason.CONTROLLER_SWITCH_FAILED, f"the arm was not handed back: {problem}")
        return problem

    def _refusal(self, goal: Insert.Goal) -> GuardDecision:
        """Check everything that can be checked before anything moves."""
        station = self._station
        if station is None:
            return _no(Reason.DEACTIVATED, "the node is not active; activate it first")
        task = station.runtime.task
        if self._busy:
            return _no(Reason.NONE, "an insertion is in progress; wait for it or cancel it")
        if not task.is_meant_by(goal.task):
            expected = f"{task.name!r} ({task.hash()}), which the bundle solves"
            return _no(Reason.NONE, f"task: expected {expected}, got {goal.task!r}")
        if not math.isfinite(goal.timeout_s) or goal.timeout_s < 0:
            return _no(Reason.NONE, f"timeout_s: expected a time >= 0 s, got {goal.timeout_s}")
        try:
            requested_grasp(goal.grasp, task)
        except RefineryError as error:
            return _no(Reason.NONE, str(error))
        if station.topics.inputs() is None:
            return _no(Reason.TOPIC_MISSING, f"no message yet on {', '.join(station.topics.missing())}")
        if (stopped := station.check_clock()).level is not Level.OK:
            return stopped
        rival = check_only_publisher(self._node, station.topics.target_topic)
        if rival.level is not Level.OK:
            return rival
        return station.runtime.guard.latched if not station.runtime.guard.armed else GuardDecision()

    def _result(self, ending: Ending, station: Station, problem: str) -> Insert.Result:
        result = Insert.Result()
        note = f"; the arm was not handed back: {problem}" if problem else ""
        dry = "dry run, nothing was commanded: " if station.parameters.dry_run else ""
        result.outcome = Outcome(value=ending.outcome, message=dry + ending.message + note)
        result.reason = reason_message(station.runtime.guard.latched if problem else ending.decision)
        stamp = self._node.get_clock().now().to_msg()
        result.pose_final = pose_message(ending.measured, station.topics.base_frame, stamp)
        result.depth_m = station.runtime.task.rim_height_m - float(ending.offset.height_m[0])
        result.lateral_error_m = float(ending.offset.lateral_m[0])
        result.angle_error_rad = float(ending.offset.angle_rad[0])
        result.duration_s = ending.duration_s
        result.ticks = ending.ticks
        return result

    def _finish(self, goal: ServerGoalHandle, result: Insert.Result) -> Insert.Result:
        trial = f"trial {goal.request.trial_id}: " if goal.request.trial_id else ""
        result.outcome.message = trial + result.outcome.message
        if goal.is_cancel_requested:
            goal.canceled()
        elif result.outcome.value == Outcome.SUCCESS:
            goal.succeed()
        else:
            goal.abort()
        log = self._node.get_logger()
        if result.outcome.value in (Outcome.SUCCESS, Outcome.FAILED, Outcome.CANCELLED):
            log.info(result.outcome.message)
        else:
            log.error(result.outcome.message)
        return result

    def _feedback(self, goal: ServerGoalHandle, station: Station) -> None:
        insertion = self.insertion
        if insertion is None:
            return
        offset = insertion.plug_offset()
        feedback: Any = Insert.Feedback()
        feedback.elapsed_s = insertion.elapsed_s
        feedback.depth_m = station.runtime.task.rim_height_m - float(offset.height_m[0])
        feedback.lateral_error_m = float(offset.lateral_m[0])
        feedback.guard = reason_message(station.runtime.guard.decision)
        goal.publish_feedback(feedback)

    def _record(self, trial_id: int, station: Station) -> None:
        recorder, folder = station.runtime.recorder, station.parameters.record_dir
        # Without a policy step of its own, what the recorder has is the insertion's before.
        if recorder is None or self.insertion is None or self.insertion.ticks == 0 or not len(recorder):
            return
        path = Path(folder) / f"insert_{self._count:04d}_trial_{trial_id}.npz"
        try:
            recorder.recording().save(path)
        except OSError as error:
            self._node.get_logger().error(f"{path}: the recording was not written: {error}")


def _no(reason: Reason, message: str) -> GuardDecision:
    return GuardDecision(level=Level.STOP, reason=reason, message=message)


def _outcome_of(interruption: GuardDecision) -> int:
    return int(Outcome.CANCELLED if interruption.reason is Reason.CANCELLED else Outcome.STOPPED)


def _refused(decision: GuardDecision) -> Insert.Result:
    result = Insert.Result()
    result.outcome = Outcome(value=Outcome.REFUSED, message=decision.message)
    result.reason = reason_message(decision)
    return result
