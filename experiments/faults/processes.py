"""Faults of the policy node's process, made with signals, and a socket that is too far away."""

from __future__ import annotations

import signal
import time

from experiments.faults import cells, safety
from experiments.faults.expectations import HELD
from experiments.faults.injecting import Injection, Injector
from experiments.faults.observation import Observation
from refinery_msgs.msg import Outcome

STALL_S = 1.2
"""Simulated time for which a stalled node is suspended, [s]."""
SLOW_PERIODS = 2.5
"""Policy periods that a step of a slow node takes."""
FAR_M = 0.03
"""A socket this far from where it should be is inside the workspace, but no insertion starts from there, [m]."""
_DRAIN_S = 0.3
_RESTARTS = 3
"""Starts of a new node before it is a failure that none takes over."""
_LEASE_S = 60.0
"""Wall-clock time in which the graph must have forgotten a killed node, [s]; Fast DDS takes 20."""


def inject(injector: Injector, injection: Injection) -> Observation:
    """Run an injection of a kind that the twin does not know.

    Args:
        injector: Of the bench.
        injection: ``kind`` is one of :data:`experiments.faults.expectations.PROCESS`; ``delay_s`` and
            ``duration_s`` (of a stall) count, [s] of simulated time.
    """
    own = {"stalled_node": _stall, "slow_inference": _slow, "far_socket": _far, "killed_node": _kill}
    return (own | cells.INJECT)[injection.kind](injector, injection)


def _stall(injector: Injector, injection: Injection) -> Observation:
    """Suspend the node for a while: the arm must come to rest at the last target by itself, whatever follows."""
    client, bench = injector.client, injector.bench
    while True:
        future = injector.begin(injection)
        begins_s = client.now_s + injection.delay_s
        client.wait_until(begins_s)
        stall_s = injection.duration_s or STALL_S
        bench.policy.send_signal(signal.SIGSTOP)
        try:
            stopped_s = client.now_s
            client.wait_until(stopped_s + stall_s)
            crept = _crept(injector, stopped_s) if stall_s > safety.REST_S + safety.WATCH_S else ""
        finally:
            bench.policy.send_signal(signal.SIGCONT)
        awake_s = client.now_s
        client.wait_for(future.done, "result")
        result = future.result().result
        seen = injector.assess(injector.blank(injection), result, begins_s, client.now_s, awake_s=awake_s)
        injector.recover()
        if seen is not None:
            seen.unsafe += [crept] if crept else []
            return seen


def _slow(injector: Injector, injection: Injection) -> Observation:
    """Let every step of the node take some periods, until the insertion ends."""
    client, bench = injector.client, injector.bench
    period_s = 1.0 / bench.task.control.policy_rate_hz / bench.factor
    while True:
        future = injector.begin(injection)
        begins_s = client.now_s + injection.delay_s
        client.wait_until(begins_s)
        awake_s = begins_s
        while not future.done():
            bench.policy.send_signal(signal.SIGSTOP)
            _spin(injector, SLOW_PERIODS * period_s)
            bench.policy.send_signal(signal.SIGCONT)
            awake_s = client.now_s
            steps, end = len(client.history.targets), time.monotonic() + period_s
            while len(client.history.targets) == steps and not future.done() and time.monotonic() < end:
                client.spin()
        result = future.result().result
        seen = injector.assess(injector.blank(injection), result, begins_s, client.now_s, awake_s=awake_s)
        injector.recover()
        if seen is not None:
            return seen


def _far(injector: Injector, injection: Injection) -> Observation:
    """Request an insertion with the socket outside the distribution of starts."""
    client = injector.client
    client.trial(injection.seed)
    begins_s = client.inject("jump", "socket_pose", magnitude=injection.magnitude or FAR_M)
    client.wait_until(begins_s + 0.3)
    result = client.insert(trial_id=0)
    seen = injector.blank(injection)
    injector.note_refusal(seen, result, begins_s)
    injector.recover()
    return seen


def _kill(injector: Injector, injection: Injection) -> Observation:
    """Kill the node in the middle: the arm must rest at the last target; a new node must be able to take over."""
    client, bench = injector.client, injector.bench
    injector.begin(injection)
    begins_s = client.now_s + injection.delay_s
    client.wait_until(begins_s)
    bench.policy.kill()
    bench.policy.wait()
    # What it had sent is on its way to this client, which may lag behind on a busy machine.
    _spin(injector, _DRAIN_S)
    killed_s = client.now_s
    client.wait_until(killed_s + safety.REST_S + safety.WATCH_S)
    seen = injector.blank(injection)
    seen.reaction, seen.ticks, seen.message = HELD, 0, "the impedance controller keeps the last target"
    if crept := _crept(injector, killed_s):
        seen.unsafe.append(crept)
    if late := [time_s for time_s, _ in client.history.targets if time_s > killed_s + 0.05]:
        seen.unsafe.append(f"{len(late)} targets after the node was killed")
    injector.check_bounds(seen, None)
    if gave_up := _restart(injector):
        seen.message += f"; {gave_up} new node(s) gave up, hearing nothing of the twin, before one took over"
    # While the graph remembers the dead node, the twin counts two publishers and heeds neither.
    client.wait_for(lambda: client.target_publishers() == 1, "end of the killed node's publisher", _LEASE_S)
    injector.recover()
    client.trial(injection.seed)
    again = client.insert(trial_id=0, timeout_s=1.0)
    if again.outcome.value == Outcome.REFUSED:
        seen.unsafe.append(f"a new node cannot take over: {again.outcome.message}")
    elif safety.spread_m(client.history.tool_positions(0.0)) < 5 * safety.STILL_M:
        seen.unsafe.append("the arm does not follow the new node")
    injector.recover()
    return seen


def _restart(injector: Injector) -> int:
    """Start a node in place of the killed one, as an operator would; returns how many gave up before one was active.

    A process that is killed leaves its end of the shared memory behind, and now and then the next process on the same
    port hears nothing (Fast DDS): it says which topic is silent, gives up after its autostart's 30 s and can be started
    again.
    """
    for gave_up in range(_RESTARTS):
        injector.bench.start_policy()
        try:
            injector.bench.await_policy(injector.client)
        except AssertionError:
            if gave_up == _RESTARTS - 1 or injector.bench.policy.poll() is None:
                raise
        else:
            return gave_up
    raise AssertionError("no restart was tried")


def _crept(injector: Injector, since_s: float) -> str:
    """Describe motion of the arm while no node commands it; empty if there was none."""
    rest = injector.client.history.tool_positions(since_s + safety.REST_S)
    moved = safety.spread_m(rest)
    return f"without a commanding node the tool moved {moved * 1e3:.2f} mm" if moved > safety.STILL_M else ""


def _spin(injector: Injector, wall_s: float) -> None:
    end = time.monotonic() + wall_s
    while (left := end - time.monotonic()) > 0:
        injector.client.spin(left)
