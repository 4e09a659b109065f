"""The action ``assemble``: one run of the sequence at a time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock, ClockType
from rclpy.task import Future

from refinery.errors import RefineryError
from refinery_assembly_node.assembly import Assembly
from refinery_assembly_node.assembly_resources import AssemblyResources
from refinery_assembly_node.command import CommandStoppedError
from refinery_assembly_node.progress import feedback_message, step_messages
from refinery_msgs.action import Assemble
from refinery_msgs.msg import Outcome
from refinery_ros.conversions import clock_seconds
from refinery_ros.lifecycle import ManagedNode

_RATE_HZ = 50.0
RESULT_S = 24 * 3600
"""Results are kept for this long, [s]: on Jazzy it counts from acceptance, and a run may wait for an operator."""


class AssembleServer:
    """Serves ``assemble``.

    Goals are always accepted and refusals are results, because a rejected goal carries no reason. A goal outlives its
    client; another one for the same run follows it: it gets the same feedback and result, and cancels the run likewise.

    Args:
        node: Gets the action server and a timer.
        resources: Returns the resources of the active node; raises RefineryError with the reason if it is not active.
    """

    def __init__(self, node: ManagedNode, resources: Callable[[], AssemblyResources]) -> None:
        self._node, self._resources = node, resources
        self._stop: str | None = None
        self._run = ""
        self._handles: list[ServerGoalHandle] = []
        self._result = Assemble.Result()
        self._next_tick: Future = Future()
        # Steady time: waiting must go on when a simulated clock stops.
        node.create_timer(1.0 / _RATE_HZ, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))
        on_cancel = node.guarded("cancellation of assemble", lambda _goal: CancelResponse.ACCEPT, CancelResponse.ACCEPT)
        self._server = ActionServer(
            node, Assemble, "assemble", self._execute, cancel_callback=on_cancel, result_timeout=RESULT_S
        )

    def stop(self, reason: str) -> None:
        """End a run in progress as a cancellation would; the journal knows where it stands."""
        if self.busy:
            self._stop = self._stop or reason

    @property
    def busy(self) -> bool:
        """Whether a run is in progress."""
        return bool(self._handles)

    @property
    def stopped(self) -> str | None:
        """Why the run in progress is to end; None while it is not."""
        if self._stop is None and any(handle.is_cancel_requested for handle in self._handles):
            return "cancelled by the client"
        return self._stop

    async def tick(self) -> None:
        """Wait for the timer."""
        await self._next_tick

    def _on_timer(self) -> None:
        tick, self._next_tick = self._next_tick, Future()
        tick.set_result(None)

    async def _execute(self, handle: ServerGoalHandle) -> Assemble.Result:
        if self.busy:
            return self._finish(handle, await self._follow(handle))
        result, begun_s = Assemble.Result(run=handle.request.run), clock_seconds(self._node)
        self._stop, self._run, self._handles = None, "", [handle]
        try:
            result.outcome = await self._assemble(handle.request, result)
        # rclpy would turn an exception into an empty result, whose outcome is success.
        except Exception as error:
            self._node.defect("assemble", error)
            result.outcome = Outcome(value=Outcome.STOPPED, message=f"a defect, {type(error).__name__}: {error}")
        finally:
            self._handles, self._result = [], result
        result.duration_s = clock_seconds(self._node) - begun_s
        return self._finish(handle, result)

    async def _follow(self, handle: ServerGoalHandle) -> Assemble.Result:
        """Wait for the end of the run in progress, if it is meant; returns its result."""
        goal, run = handle.request, self._run
        if not run or goal.run != run:
            message = f"run {run!r} is in progress: wait, cancel it, or follow it (refinery assemble --resume {run})"
            return Assemble.Result(run=goal.run, outcome=Outcome(value=Outcome.REFUSED, message=message))
        self._handles.append(handle)
        while handle in self._handles:
            await self.tick()
        return self._result

    async def _assemble(self, goal: Assemble.Goal, result: Assemble.Result) -> Outcome:
        try:
            resources = self._resources()
            result.run = self._run = self._begin(resources, goal)
        except RefineryError as error:
            return Outcome(value=Outcome.REFUSED, message=f"{error}; nothing moved")
        run, journal, sequence = result.run, resources.journal, resources.sequence
        assembly = Assembly(
            sequence,
            resources.tasks,
            journal,
            run,
            resources.cell,
            lambda position: self._publish(feedback_message(sequence, journal.results(run), run, position)),
        )
        try:
            verdict = await assembly.run()
            outcome = Outcome(value=Outcome.SUCCESS if verdict.complete else Outcome.FAILED, message=verdict.message)
        except CommandStoppedError as error:
            value = Outcome.CANCELLED if error.cancelled else Outcome.STOPPED
            outcome = Outcome(value=value, message=f"{error}; the run {run!r} can go on")
        except RefineryError as error:
            outcome = Outcome(value=Outcome.STOPPED, message=f"{error}; the run {run!r} can go on")
        result.steps = step_messages(sequence, journal.results(run))
        return outcome

    def _publish(self, feedback: Assemble.Feedback) -> None:
        for handle in self._handles:
            handle.publish_feedback(feedback)

    def _begin(self, resources: AssemblyResources, goal: Assemble.Goal) -> str:
        """Return the name of the run, which the journal knows from now on."""
        sequence, journal = resources.sequence, resources.journal
        if not sequence.is_meant_by(goal.sequence):
            expected = f"the loaded one, {sequence.name!r} ({sequence.hash()})"
            raise RefineryError(f"sequence: expected {expected}, got {goal.sequence!r}")
        run = goal.run or time.strftime("%Y%m%d-%H%M%S")
        if run not in journal.runs():
            journal.begin_run(run, goal.seed if goal.seed >= 0 else secrets.randbits(62))
        return run

    def _finish(self, handle: ServerGoalHandle, result: Assemble.Result) -> Assemble.Result:
        outcome, log = result.outcome, self._node.get_logger()
        if handle.is_cancel_requested:
            handle.canceled()
        elif outcome.value == Outcome.SUCCESS:
            handle.succeed()
        else:
            handle.abort()
        # One line each: a line of code logs with one severity only.
        if outcome.value in (Outcome.SUCCESS, Outcome.CANCELLED):
            log.info(outcome.message)
        else:
            log.error(outcome.message)
        return result
