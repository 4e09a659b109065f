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
from refinery_policy_node.insertion import Insertion, InsertionResult
from refinery_policy_node.messages import diagnosis_message, reason_message
from refinery_policy_node.policy_resources import PolicyResources
from refinery_policy_node.rest_check import RestMeasurement, agreed, check_offset
from refinery_ros.conversions import pose_stamped_message
from refinery_ros.lifecycle import ManagedNode


class InsertServer:
    """Serves insertions one at a time.

    Args:
        node: The node.
        on_change: Called when an insertion begins, when the level of its guard changes, and when it ends.
    """

    def __init__(self, node: ManagedNode, on_change: Callable[[], None]) -> None:
        self._node = node
        self._on_change = node.guarded("status", on_change)
        self._busy = False
        self._handed_over = False
        self._count = 0
        self._resources: PolicyResources | None = None
        self.insertion: Insertion | None = None
        """The insertion in progress."""
        self.ended, self.last_trial_id, self.last = 0, 0, Insert.Result()
        """How many insertions have ended or were refused, and the last one's trial and result."""
        self.interrupted: GuardDecision | None = None
        """Why the insertion in progress must end."""
        on_cancel = node.guarded("cancellation of insert", self._on_cancel, CancelResponse.ACCEPT)
        self._server = ActionServer(node, Insert, "insert", self._execute, cancel_callback=on_cancel)

    @property
    def busy(self) -> bool:
        """Whether an insertion is in progress, hand-over and hand-back included."""
        return self._busy

    def serve(self, resources: PolicyResources | None) -> None:
        """Serve insertions with these resources, or refuse them from now on (None)."""
        self._resources = resources

    def interrupt(self, outcome: int, decision: GuardDecision) -> None:
        """End the insertion in progress with a hold; the action then hands the arm back."""
        if self._busy and self.interrupted is None:
            self.interrupted = decision
            if self.insertion is not None:
                self.insertion.stop(outcome, decision)

    def fail(self, error: Exception) -> None:
        """Complete an insertion that could not be ended; see :meth:`Insertion.fail`."""
        if self.insertion is not None:
            self.insertion.fail(error)

    def hand_back_now(self, resources: PolicyResources) -> str | None:
        """Hand the arm back at once, inside a transition; returns the problem, or None."""
        if not self._handed_over:
            return None
        self._handed_over = False
        return resources.switch.switch_blocking(impedance=False)

    def destroy(self) -> None:
        """End the server."""
        self._server.destroy()

    def _on_cancel(self, _goal: ServerGoalHandle) -> CancelResponse:
        # Hold now rather than when the coroutine runs next.
        decision = GuardDecision(
            level=Level.HOLD, reason=Reason.CANCELLED, message="the client cancelled the insertion"
        )
        self.interrupt(Outcome.CANCELLED, decision)
        return CancelResponse.ACCEPT

    async def _execute(self, goal: ServerGoalHandle) -> Insert.Result:
        refusal = self._refusal(goal.request)
        if refusal.level is not Level.OK:
            return self._finish(goal, _refused(refusal))
        resources = self._resources
        assert resources is not None
        self._busy, self.interrupted = True, None
        self._count += 1
        try:
            result = await self._insert(goal, resources)
            self._record(goal.request.trial_id, resources)
        except Exception as error:
            # rclpy would send an empty result, which reads as a success.
            self._node.defect("insert", error)
            result = await self._give_up(resources, error)
        finally:
            self._busy, self.insertion = False, None
        return self._finish(goal, result)

    async def _insert(self, goal: ServerGoalHandle, resources: PolicyResources) -> Insert.Result:
        inputs, decision = await self._measure_at_rest(goal.request, resources)
        if inputs is None or decision.level is not Level.OK:
            return self._not_begun(decision)
        resources.topics.publish_stiffness(resources.runtime.task.control.stiffness)
        # The impedance controller must find this target when it is activated, not one of an earlier insertion.
        resources.topics.publish_target(inputs.measured.pose())
        self._handed_over = True
        problem = await resources.switch.switch(impedance=True)
        if problem:
            await self._hand_back(resources)
            reason = Reason.CONTROLLER_SWITCH_FAILED
            return _refused(
                GuardDecision(level=Level.STOP, reason=reason, message=f"the arm was not handed over: {problem}")
            )
        grasp = requested_grasp(goal.request.grasp, resources.runtime.task)
        resources.ticks.begin(goal.request.trial_id, grasp, inputs.estimate)
        self.insertion = Insertion(
            self._node,
            resources.runtime,
            resources.topics,
            inputs,
            grasp=grasp,
            handover_s=resources.parameters.handover_s,
            command_rate_hz=resources.parameters.command_rate_hz,
            timeout_s=goal.request.timeout_s,
            feel=resources.calibration is not None and not resources.parameters.dry_run,
            on_tick=lambda: self._feedback(goal, resources),
            on_change=self._on_change,
            ticks=resources.ticks,
        )
        self._on_change()
        if self.interrupted is not None:
            self.insertion.stop(_outcome_of(self.interrupted), self.interrupted)
        end: InsertionResult = await self.insertion.ended
        if left_out := resources.runtime.estimates.left_out:
            self._node.get_logger().warning(f"{left_out} of {end.ticks} socket estimates were rejected as outliers")
        self._learn(end, resources)
        problem = await self._hand_back(resources)
        return self._result(end, resources, problem)

    async def _measure_at_rest(
        self, goal: Insert.Goal, resources: PolicyResources
    ) -> tuple[Inputs | None, GuardDecision]:
        """Measure the arm at rest; returns the samples to start from, or why not to start."""
        samples = await RestMeasurement(resources.topics).run(self._node)
        runtime = resources.runtime
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

    async def _give_up(self, resources: PolicyResources, error: Exception) -> Insert.Result:
        """Hand the arm back after a defect and return the client's result."""
        latched = resources.runtime.guard.latched
        try:
            problem = await self._hand_back(resources)
        except Exception as another:
            self._node.defect("hand-back", another)
            problem = resources.switch.switch_blocking(impedance=False) if self._handed_over else None
            self._handed_over = bool(problem)
        result = _refused(latched)
        note = f"; the arm was not handed back: {problem}" if problem else ""
        result.outcome = Outcome(value=Outcome.STOPPED, message=f"{latched.message or error}{note}")
        return result

    async def _hand_back(self, resources: PolicyResources) -> str | None:
        if not self._handed_over:
            return None
        problem = await resources.switch.switch(impedance=False)
        # Until the arm is handed back, deactivation or the end of the process tries again.
        self._handed_over = bool(problem)
        if problem:
            resources.runtime.guard.stop(Reason.CONTROLLER_SWITCH_FAILED, f"the arm was not handed back: {problem}")
        return problem

    def _refusal(self, goal: Insert.Goal) -> GuardDecision:
        """Check everything that can be checked before anything moves."""
        resources = self._resources
        if resources is None:
            return _stop(Reason.DEACTIVATED, "the node is not active; activate it first")
        if self._busy:
            return _stop(Reason.NONE, "an insertion is in progress; wait for it or cancel it")
        if not resources.runtime.guard.armed:
            # Before another policy, with a guard of its own, is chosen.
            return resources.runtime.guard.latched
        if problem := resources.choose(goal.task):
            return _stop(Reason.NONE, f"task: {problem}")
        task = resources.runtime.task
        if not math.isfinite(goal.timeout_s) or goal.timeout_s < 0:
            return _stop(Reason.NONE, f"timeout_s: expected a time >= 0 s, got {goal.timeout_s}")
        try:
            requested_grasp(goal.grasp, task)
        except RefineryError as error:
            return _stop(Reason.NONE, str(error))
        if resources.topics.inputs() is None:
            return _stop(Reason.TOPIC_MISSING, f"no message yet on {', '.join(resources.topics.missing())}")
        if (stopped := resources.check_clock()).level is not Level.OK:
            return stopped
        only = check_only_publisher(self._node, resources.topics.target_topic)
        if only.level is not Level.OK:
            return only
        return GuardDecision()

    def _result(self, end: InsertionResult, resources: PolicyResources, problem: str | None) -> Insert.Result:
        result = Insert.Result()
        note = f"; the arm was not handed back: {problem}" if problem else ""
        dry = "dry run, nothing was commanded: " if resources.parameters.dry_run else ""
        why = ": ".join(filter(None, (end.message, end.diagnosis.message)))
        result.outcome = Outcome(value=end.outcome, message=dry + why + note)
        result.reason = reason_message(resources.runtime.guard.latched if problem else end.decision)
        stamp = self._node.get_clock().now().to_msg()
        result.pose_final = pose_stamped_message(end.measured.batch(), resources.topics.base_frame, stamp)
        result.depth_m = resources.runtime.task.rim_height_m - float(end.offset.height_m[0])
        result.lateral_error_m = float(end.offset.lateral_m[0])
        result.angle_error_rad = float(end.offset.angle_rad[0])
        result.duration_s = end.duration_s
        result.ticks = end.ticks
        result.diagnosis = diagnosis_message(end.diagnosis)
        return result

    def _finish(self, goal: ServerGoalHandle, result: Insert.Result) -> Insert.Result:
        trial = f"trial {goal.request.trial_id}: " if goal.request.trial_id else ""
        result.outcome.message = trial + result.outcome.message
        self.ended, self.last_trial_id, self.last = self.ended + 1, goal.request.trial_id, result
        self._on_change()
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

    def _feedback(self, goal: ServerGoalHandle, resources: PolicyResources) -> None:
        insertion = self.insertion
        if insertion is None:
            return
        offset = insertion.plug_offset()
        feedback: Any = Insert.Feedback()
        feedback.elapsed_s = insertion.elapsed_s
        feedback.depth_m = resources.runtime.task.rim_height_m - float(offset.height_m[0])
        feedback.lateral_error_m = float(offset.lateral_m[0])
        feedback.guard = reason_message(resources.runtime.guard.decision)
        goal.publish_feedback(feedback)

    def _learn(self, end: InsertionResult, resources: PolicyResources) -> None:
        """Let the calibration learn from an insertion, for the next one."""
        calibration, runtime = resources.calibration, resources.runtime
        if calibration is None or resources.parameters.dry_run:
            return
        corrected = None if runtime.socket is None else runtime.socket.batch()
        calibration.learn(end.outcome, end.hole, corrected, undisturbed=runtime.guard.latched.level is Level.OK)
        resources.use_correction()

    def _record(self, trial_id: int, resources: PolicyResources) -> None:
        recorder, folder = resources.runtime.recorder, resources.parameters.record_dir
        # Without a policy step of its own, what the recorder has is the insertion's before.
        if recorder is None or self.insertion is None or self.insertion.ticks == 0 or not len(recorder):
            return
        path = Path(folder) / f"insert_{self._count:04d}_trial_{trial_id}.npz"
        try:
            recorder.recording().save(path)
        except OSError as error:
            self._node.get_logger().error(f"{path}: the recording was not written: {error}")


def _stop(reason: Reason, message: str) -> GuardDecision:
    return GuardDecision(level=Level.STOP, reason=reason, message=message)


def _outcome_of(interruption: GuardDecision) -> int:
    return int(Outcome.CANCELLED if interruption.reason is Reason.CANCELLED else Outcome.STOPPED)


def _refused(decision: GuardDecision) -> Insert.Result:
    result = Insert.Result()
    result.outcome = Outcome(value=Outcome.REFUSED, message=decision.message)
    result.reason = reason_message(decision)
    return result
