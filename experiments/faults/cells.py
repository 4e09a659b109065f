"""Faults of the cell around a policy: its clock, a second one, MoveIt's process, and defects of the node itself."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped

from experiments.faults import safety
from experiments.faults.client import PATIENCE_S, Client
from experiments.faults.expectations import STOPPED, TOLERATED
from experiments.faults.injecting import REASONS, Injection, Injector
from experiments.faults.observation import Observation
from refinery_msgs.action import Place
from refinery_msgs.msg import GuardReason, Outcome
from refinery_ros.conversions import pose_stamped_message

BREAKABLE = (
    "timer Insertion._tick",
    "timer PolicyNode._watch",
    "timer RobotState.read",
    "subscription /clock",
    "service /refinery_policy/hold",
    "_feedback",
    "errors",
    "publish_target",
)
"""Callbacks of the policy node, and what they call, that a defect is put into."""
_REFUSED_BY_CLI = 2
_REFUSED_BY_NODES = "end the other cell"
"""What every node says that refuses to serve beside another of its name."""
_ASIDE_M = (-0.05, 0.25, 0.15)
"""From home to a pose that takes the arm seconds to reach, base frame, [m]."""
_MOVING_M = 0.01
_HALT_S = 1.0
"""Longest simulated time from a cancelled placement to rest, with a busy machine in between, [s]."""


def _stopped_clock(injector: Injector, injection: Injection) -> Observation:
    """Pause the simulation: services answer, but no time passes."""
    return _clock_fault(
        injector, injection, lambda: injector.client.inject("clock_stop"), lambda: injector.client.inject("")
    )


def _dead_cell(injector: Injector, injection: Injection) -> Observation:
    """Suspend the twin: nothing is published and nothing answers."""
    twin = injector.bench.twin
    return _clock_fault(
        injector, injection, lambda: twin.send_signal(signal.SIGSTOP), lambda: twin.send_signal(signal.SIGCONT)
    )


def _clock_fault(
    injector: Injector, injection: Injection, stop: Callable[[], Any], go_on: Callable[[], Any]
) -> Observation:
    """Stop the clock in the middle; the result must come while it stands, and another run be refused."""
    client = injector.client
    while True:
        future = injector.begin(injection)
        begins_s = client.now_s + injection.delay_s
        if not _reached(client, future, begins_s):
            injector.wasted += 1
            injector.recover()
            continue
        stop()
        try:
            client.wait_for(future.done, "result while the clock stands still")
            again, rearmed = client.insert(trial_id=0), bool(client.rearm().success)
        finally:
            go_on()
        seen = injector.assess(
            injector.blank(injection), future.result().result, begins_s, client.now_s, awake_s=client.now_s
        )
        injector.recover()
        if seen is None:
            injector.wasted += 1
            continue
        seen.ticks, seen.rearmed_early = None, rearmed
        if again.outcome.value != Outcome.REFUSED or again.reason.value != GuardReason.CLOCK_STOPPED:
            seen.not_latched = f"with the clock at a bench: {again.outcome.message}"
        return seen


def _reached(client: Client, future: Any, begins_s: float) -> bool:
    """Wait for the time of a fault; returns whether the insertion lasts until then."""
    client.wait_for(lambda: client.now_s >= begins_s or future.done(), "time of the fault")
    return not future.done()


def _second_cell(injector: Injector, injection: Injection) -> Observation:
    """Start the bring-up once more while insertions run; it must refuse, and they must not notice.

    A busy machine discovers the first cell too late for the command to see it: then the second one's nodes refuse.
    """
    client, seen = injector.client, injector.blank(injection)
    seen.reaction = TOLERATED
    second, log = injector.bench.run_up()
    try:
        while second.poll() is None:
            future = injector.begin(injection)
            client.wait_for(future.done, "result")
            result = future.result().result
            injector.check_bounds(seen, injector.recording())
            if result.outcome.value == Outcome.STOPPED:
                seen.reaction, seen.reason, seen.message = STOPPED, REASONS[result.reason.value], result.outcome.message
            injector.recover()
    finally:
        if second.poll() is None:
            second.send_signal(signal.SIGINT)
        second.wait()
    refused_late = second.returncode != 0 and _REFUSED_BY_NODES in log.read_text(errors="replace")
    if refused_late:
        seen.message = seen.message or "refused by the second cell's nodes, which came up"
    elif second.returncode != _REFUSED_BY_CLI:
        seen.unsafe.append(f"a second bring-up was not refused (exit status {second.returncode})")
    return seen


def _dead_move_group(injector: Injector, injection: Injection) -> Observation:
    """Kill MoveIt while the arm moves and cancel: the arm must come to rest all the same, and soon."""
    client, bench = injector.client, injector.bench
    bench.start_placing()
    client.await_placing()
    client.trial(injection.seed)
    handle, begins_s = _moving(injector)
    client.wait_until(client.now_s + min(injection.delay_s, 0.5))
    bench.others["move_group"].kill()
    bench.others["move_group"].wait()
    killed_s = client.now_s
    handle.cancel_goal_async()
    ended = handle.get_result_async()
    client.wait_for(ended.done, "result of the placement")
    result: Place.Result = ended.result().result
    seen = injector.blank(injection)
    seen.message = result.outcome.message
    seen.reaction = STOPPED
    seen.reason = "CANCELLED" if result.outcome.value == Outcome.CANCELLED else f"outcome {result.outcome.value}"
    client.wait_until(max(client.now_s, killed_s + _HALT_S) + safety.WATCH_S)
    moved = safety.spread_m(client.history.tool_positions(killed_s + _HALT_S))
    if moved > safety.STILL_M:
        seen.unsafe.append(f"{_HALT_S} s after move_group was killed the tool still moved by {moved * 1e3:.1f} mm")
    if not _on_its_way(client, begins_s):
        seen.unsafe.append("the arm was not moving when move_group was killed")
    injector.recover()
    return seen


def _moving(injector: Injector) -> tuple[Any, float]:
    """Start a placement; returns its handle, and when it began, once the tool is well on its way."""
    client, profile = injector.client, injector.bench.profile
    home = profile.arm_kinematics().forward(np.array([profile.home_rad]))
    stamp = client.node.get_clock().now().to_msg()
    pose: PoseStamped = pose_stamped_message(home, profile.base_frame, stamp)
    for name, offset in zip("xyz", _ASIDE_M, strict=True):
        setattr(pose.pose.position, name, getattr(pose.pose.position, name) + offset)
    goal = Place.Goal(use_pose=True, pose=pose, max_duration_s=60.0)
    end = time.monotonic() + PATIENCE_S
    while True:
        begins_s = client.now_s
        handle = client.place(goal)
        ended = handle.get_result_async()
        client.wait_for(partial(_over_or_on_its_way, client, ended, begins_s), "moving arm")
        if not ended.done():
            return handle, begins_s
        # A MoveIt that has just been started is not ready at once.
        outcome = ended.result().result.outcome
        again = outcome.value == Outcome.REFUSED and time.monotonic() < end
        assert again, f"the placement ended before the arm was on its way: {outcome.message}"


def _over_or_on_its_way(client: Client, ended: Any, since_s: float) -> bool:
    return bool(ended.done()) or _on_its_way(client, since_s)


def _on_its_way(client: Client, since_s: float) -> bool:
    return safety.spread_m(client.history.tool_positions(since_s)) > _MOVING_M


def _exception(injector: Injector, injection: Injection) -> Observation:
    """Raise an exception in a callback of the policy node."""
    client, bench = injector.client, injector.bench
    name = BREAKABLE[injection.seed % len(BREAKABLE)]
    bench.replace_policy(breakable=True)
    try:
        bench.await_policy(client)
        while True:
            future = injector.begin(injection)
            begins_s = client.now_s + injection.delay_s
            if _reached(client, future, begins_s):
                client.break_once(name)
                if name.startswith("service"):
                    client.hold()
                client.wait_for(future.done, "result")
                seen = injector.assess(
                    injector.blank(injection), future.result().result, begins_s, client.now_s, awake_s=client.now_s
                )
                injector.recover()
                if seen is not None:
                    seen.message = f"{name}: {seen.message}"
                    return seen
            injector.wasted += 1
            injector.recover()
    finally:
        bench.replace_policy(breakable=False)
        bench.await_policy(client)


INJECT: dict[str, Callable[[Injector, Injection], Observation]] = {
    "callback_exception": _exception,
    "clock_stop": _stopped_clock,
    "dead_cell": _dead_cell,
    "second_cell": _second_cell,
    "dead_move_group": _dead_move_group,
}
"""What injects each kind."""
