"""Run one insertion with one fault, and check all safety properties."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments.faults import safety
from experiments.faults.client import Client
from experiments.faults.expectations import HELD, REFUSED, STOPPED, TOLERATED
from experiments.faults.fault_bench import FaultBench
from experiments.faults.observation import Observation
from refinery.tick.recording import Recording
from refinery_msgs.action import Insert
from refinery_msgs.msg import GuardReason, Outcome
from refinery_twin.trial import draw_trial

REASONS = {
    getattr(GuardReason, name): name
    for name in dir(GuardReason)
    if name.isupper() and isinstance(getattr(GuardReason, name), int)
}
"""Names of the guard's reasons."""
LIES = ("jump", "turn", "flip", "drift", "drift_turn")
"""Kinds in which a pose is reported where it is not."""
_NOT_BACK = "not handed back"
_TRIES = 5


@dataclass(frozen=True, kw_only=True)
class Injection:
    """One fault in one insertion; times are simulated, [s]."""

    kind: str
    """A kind of the twin."""
    stream: str = ""
    """Stream affected; empty: every stream the kind can affect."""
    seed: int
    """Of the trial, >= 0."""
    early: bool = False
    """Inject before the insertion is asked for, and let it bench."""
    delay_s: float = 0.45
    """From the hand-over of the arm to the fault."""
    duration_s: float = 0.0
    """Of the fault; 0: until it is ended."""
    magnitude: float = 0.0
    """0: the kind's default."""
    timeout_s: float = 2.0
    """Of the insertion."""


class NotBegunError(AssertionError):
    """No insertion lasted until its fault: nothing was injected, and there is nothing to assess."""


class Injector:
    """Runs injections on a bench.

    Args:
        bench: The processes.
        client: Talks to them.
    """

    def __init__(self, bench: FaultBench, client: Client) -> None:
        self.bench, self.client = bench, client
        self.wasted = 0
        """Insertions that ended before their fault began, by a hiccup of the machine; they were repeated."""
        self._number = 0

    def run(self, injection: Injection) -> Observation:
        """Run one injection; an insertion that ends before the fault begins is repeated.

        Returns:
            The observation. The bench is armed and without faults afterwards.

        Raises:
            NotBegunError: None of a few insertions lasted until the fault.
        """
        for _ in range(_TRIES):
            seen = self._early(injection) if injection.early else self._during(injection)
            self.recover()
            if seen is not None:
                return seen
            self.wasted += 1
        raise NotBegunError(f"{_TRIES} insertions ended before {injection.kind} could begin\n{self.bench.log()}")

    def recover(self) -> None:
        """End all faults and re-arm."""
        client = self.client
        client.inject("")
        client.wait_for(lambda: client.rearm().success, "re-arm after the end of all faults")

    def begin(self, injection: Injection) -> Any:
        """Set the cell up and start an insertion; returns the future of its result once the arm is handed over."""
        client = self.client
        for _ in range(_TRIES):
            client.trial(injection.seed)
            self._number += 1
            future = client.send(trial_id=self._number, timeout_s=injection.timeout_s)
            client.wait_for(partial(_under_way, client, future), "first target")
            if not future.done():
                return future
            self.recover()
        raise AssertionError(f"no insertion starts: {future.result().result.outcome.message}\n{self.bench.log()}")

    def blank(self, injection: Injection) -> Observation:
        """Return an observation of the injection with no outcome yet."""
        return Observation(
            kind=injection.kind,
            stream=injection.stream,
            early=injection.early,
            seed=injection.seed,
            delay_s=injection.delay_s,
            duration_s=injection.duration_s,
            magnitude=injection.magnitude,
        )

    def _during(self, injection: Injection) -> Observation | None:
        client = self.client
        future = self.begin(injection)
        begins_s = client.inject(
            injection.kind,
            injection.stream,
            delay_s=injection.delay_s,
            duration_s=injection.duration_s,
            magnitude=injection.magnitude,
        )
        client.wait_for(future.done, "result")
        result = future.result().result
        if client.now_s < begins_s:
            return None
        seen = self.blank(injection)
        ends_s = begins_s + (injection.duration_s or math.inf)
        return self.assess(seen, result, begins_s, ends_s)

    def assess(
        self, seen: Observation, result: Insert.Result, begins_s: float, ends_s: float, *, awake_s: float = 0.0
    ) -> Observation | None:
        """Record the outcome of a finished insertion, and try to start another; None if it ended before the fault.

        Args:
            seen: To be filled in.
            result: Of the insertion.
            begins_s: Simulated time of the fault, [s].
            ends_s: When it is over, [s]; may be infinite.
            awake_s: When the node was last woken up: until it has read the clock again, it stamps with the time at
                which it fell asleep.
        """
        client = self.client
        client.wait_until(client.now_s + 0.03)
        stopped_s = max(client.history.targets[-1][0], awake_s)
        recording = self.recording()
        if result.outcome.value == Outcome.STOPPED and stopped_s < begins_s:
            return None
        seen.message, seen.reason = result.outcome.message, REASONS[result.reason.value]
        seen.reaction = self._reaction(result, recording, begins_s)
        seen.ticks = self._ticks(seen.reaction, recording, begins_s, stopped_s)
        if seen.reaction == STOPPED:
            self._try_again(seen, ends_s)
            rest_s = safety.rest_s(client.history, stopped_s, handed_back=_NOT_BACK not in seen.message)
            client.wait_until(rest_s + safety.WATCH_S)
            if problem := safety.motion_problem(client.history, stopped_s, rest_s):
                seen.unsafe.append(problem)
        self.check_bounds(seen, recording)
        return seen

    def check_bounds(self, seen: Observation, recording: Recording | None) -> None:
        """Check force and targets of the insertion against their bounds."""
        history, task = self.client.history, self.bench.task
        seen.force_n = history.largest_force_n()
        lied_to = seen.kind in LIES
        socket = draw_trial(task, seen.seed).socket
        problems = (
            safety.force_problem(history, task),
            safety.bound_problem(recording, task),
            safety.box_problem(history, task, socket, lied_to=lied_to),
        )
        seen.unsafe += [problem for problem in problems if problem]

    def recording(self) -> Recording | None:
        """Return the policy node's recording of this insertion; None if it did not come to a policy step."""
        files = list(Path(self.bench.records).glob(f"*_trial_{self._number}.npz"))
        if not files:
            return None
        recording = Recording.load(files[0])
        files[0].unlink()
        # An insertion that ends at its hand-over has no ticks of its own; those of the one before may be written.
        return recording if recording.now_s[-1] >= self.client.history.targets[0][0] else None

    def _reaction(self, result: Insert.Result, recording: Recording | None, begins_s: float) -> str:
        if result.outcome.value == Outcome.REFUSED:
            return REFUSED
        if result.outcome.value == Outcome.STOPPED or _NOT_BACK in result.outcome.message:
            return STOPPED
        held = recording is not None and bool((recording.level[recording.now_s >= begins_s] > 0).any())
        return HELD if held else TOLERATED

    def _ticks(self, reaction: str, recording: Recording | None, begins_s: float, stopped_s: float) -> int | None:
        """Count policy steps from the fault to the reaction; where no step reacted, periods until the last target."""
        if reaction not in (STOPPED, HELD):
            return None
        if recording is not None:
            after = recording.level[recording.now_s >= begins_s] > 0
            if after.any():
                return int(after.argmax()) + 1
        return max(1, math.ceil((stopped_s - begins_s) * self.bench.task.control.policy_rate_hz))

    def _try_again(self, seen: Observation, ends_s: float) -> None:
        """Request another insertion, which must be refused, and re-arming, which must be while the cause is present."""
        client = self.client
        count = len(client.history.targets)
        again = client.insert(trial_id=0)
        reason = REASONS[again.reason.value]
        if again.outcome.value != Outcome.REFUSED:
            seen.not_latched = f"another insertion was not refused: {again.outcome.message}"
        elif seen.reason == "NONE":
            seen.reason = reason
        elif reason != seen.reason:
            seen.not_latched = f"stopped by {seen.reason}, the next insertion was refused by {reason}"
        if len(client.history.targets) > count:
            seen.unsafe.append("the refused insertion commanded the arm")
        if not seen.not_latched and client.now_s < ends_s - 0.1:
            seen.rearmed_early = bool(client.rearm().success)

    def _early(self, injection: Injection) -> Observation | None:
        """Inject, wait until the fault must have been detected, and request an insertion."""
        client = self.client
        client.trial(injection.seed)
        begins_s = client.inject(injection.kind, injection.stream, magnitude=injection.magnitude)
        client.wait_until(begins_s + 0.65)
        self._number += 1
        result = client.insert(trial_id=self._number, timeout_s=injection.timeout_s)
        seen = self.blank(injection)
        if result.outcome.value != Outcome.REFUSED:
            return self.assess(seen, result, begins_s, math.inf)
        self.note_refusal(seen, result, begins_s)
        return seen

    def note_refusal(self, seen: Observation, result: Insert.Result, begins_s: float) -> None:
        """Record the outcome of an insertion that should have been refused.

        Args:
            seen: To be filled in.
            result: Of the insertion.
            begins_s: Simulated time of the fault, [s].
        """
        client = self.client
        seen.message, seen.reason = result.outcome.message, REASONS[result.reason.value]
        seen.reaction = self._reaction(result, None, begins_s)
        if seen.reaction == REFUSED:
            seen.rearmed_early = bool(client.rearm().success)
            client.wait_until(client.now_s + 0.1)
            if (moved := safety.spread_m(client.history.tool_positions(begins_s))) > safety.STILL_M:
                seen.unsafe.append(f"refused, but the tool moved {moved * 1e3:.1f} mm")
        self.check_bounds(seen, None)


def _under_way(client: Client, result: Any) -> bool:
    """Return whether the insertion has commanded a target, or has ended."""
    return bool(client.history.targets) or bool(result.done())
