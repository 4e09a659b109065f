"""How far a run is: the state of every step for the action's result, and feedback."""

from __future__ import annotations

import math

from refinery.sequence.sequence import Sequence
from refinery_assembly_node.phase import Phase, Position
from refinery_assembly_node.program import PER_STEP, Results, given_up
from refinery_msgs.action import Assemble
from refinery_msgs.msg import AssemblyStep, Outcome

_SHOWN = {Phase.OPEN: "pick", Phase.REACH: "pick", Phase.GRASP: "pick", Phase.LIFT: "pick", Phase.BACK: "place"}
"""Phases of the action's feedback that have another name than the journal's."""


def step_messages(sequence: Sequence, results: Results) -> list[AssemblyStep]:
    """Return how every step stands.

    Args:
        sequence: The sequence.
        results: Of the phases that have ended, in that order.
    """
    failed = given_up(sequence, results)
    messages = []
    for index, step in enumerate(sequence.steps):
        own = {position: ended for position, ended in results.items() if position.step == index}
        message = AssemblyStep(name=step.name, part=step.part, task=step.task, depth_m=math.nan)
        phases = {position.phase for position in own}
        if index == failed:
            message.state = AssemblyStep.FAILED
        elif Phase.RETREAT in phases:
            message.state = AssemblyStep.SKIPPED if Phase.BACK in phases else AssemblyStep.DONE
        elif own:
            message.state = AssemblyStep.ACTIVE
        message.attempts = len([position for position in own if position.phase is Phase.INSERT])
        message.duration_s = float(sum(ended.data.get("duration_s", 0.0) for ended in own.values()))
        depths = [ended.data["depth_m"] for ended in own.values() if "depth_m" in ended.data]
        if message.state == AssemblyStep.DONE:
            message.depth_m = float(depths[-1])
        if own:
            last = list(own.values())[-1]
            bad = message.state in (AssemblyStep.FAILED, AssemblyStep.SKIPPED)
            message.outcome = Outcome(value=Outcome.FAILED if bad else Outcome.SUCCESS, message=last.message)
        messages.append(message)
    return messages


def feedback_message(sequence: Sequence, results: Results, run: str, position: Position) -> Assemble.Feedback:
    """Return the feedback when a phase begins.

    Args:
        sequence: The sequence.
        results: Of the phases that have ended.
        run: Name of the run.
        position: The phase.
    """
    step = sequence.steps[position.step]
    order = list(Phase).index(position.phase) + 1
    done = (position.step + min(1.0, order / PER_STEP)) / len(sequence.steps)
    spent_s = sum(ended.data.get("duration_s", 0.0) for ended in results.values())
    return Assemble.Feedback(
        run=run,
        step=position.step,
        step_count=len(sequence.steps),
        part=step.part,
        phase=_SHOWN.get(position.phase, position.phase.value),
        attempt=position.attempt,
        progress=done,
        time_left_s=spent_s / done * (1 - done) if spent_s > 0 and position.step else math.nan,
    )
