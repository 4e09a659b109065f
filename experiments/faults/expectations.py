"""The expected reaction to each fault: the rows of docs/faults.md, and what the tests require of the nodes."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.faults.observation import Observation
from refinery_twin.faults import KINDS

STOPPED, REFUSED, HELD, TOLERATED = REACTIONS = ("stopped", "refused", "held", "tolerated")
"""Stopped: a latched stop. Refused: nothing moved. Held: at the measured pose, then on. Tolerated: it ran on."""
POSE, WRENCH, SOCKET, ROBOT = "pose", "wrench", "socket_pose", "robot_state"
SILENCE = ("drop", "freeze")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault, at its default magnitude and without an end, and the expected reaction."""

    kind: str
    """Kind of the twin's fault, or what the bench does to a process or a cell."""
    stream: str = ""
    """Which stream it strikes; empty: the cell as a whole."""
    early: bool = False
    """The fault begins before the insertion is requested; otherwise in the middle of it."""
    reaction: str = STOPPED
    """One of :data:`REACTIONS`."""
    reasons: tuple[str, ...] = ()
    """Names in refinery_msgs/GuardReason, one of which must be given; the first is what the page shows."""
    rearm_waits: bool = True
    """Re-arming is refused while the fault is on. It is not where only the next start can detect the fault: a wrong
    pose of arm or socket, and a controller switch that will be refused."""

    @property
    def name(self) -> str:
        """Short, unique and fit for a test's name."""
        return "-".join(part for part in (self.kind, self.stream, "early" if self.early else "") if part)


def _on(streams: tuple[str, ...], kinds: tuple[str, ...], *reasons: str, **values: object) -> list[Case]:
    return [
        Case(kind=kind, stream=stream, reasons=reasons, **values)  # type: ignore[arg-type]
        for kind in kinds
        for stream in streams
    ]


_STATE = (POSE, WRENCH, ROBOT)
DURING: tuple[Case, ...] = (
    *_on(_STATE, SILENCE, "STATE_LOST"),
    *_on((SOCKET,), SILENCE, "SOCKET_ESTIMATE_LOST"),
    *_on(_STATE, ("delay",), "STATE_LOST"),
    *_on((SOCKET,), ("delay",), reaction=TOLERATED),
    *_on((*_STATE, SOCKET), ("reorder",), reaction=TOLERATED),
    *_on((POSE, WRENCH, SOCKET), ("nan",), "STATE_INVALID"),
    *_on((POSE, SOCKET), ("bad_quaternion",), "STATE_INVALID"),
    *_on((*_STATE, SOCKET), ("stamp_future",), "STATE_TIME_INVALID"),
    *_on((*_STATE, SOCKET), ("stamp_past",), "STATE_TIME_INVALID"),
    *_on((POSE,), ("jump",), "OUT_OF_DISTRIBUTION", rearm_waits=False),
    *_on((SOCKET,), ("jump",), "SOCKET_ESTIMATE_LOST", rearm_waits=False),
    *_on((SOCKET,), ("turn", "flip"), reaction=TOLERATED),
    *_on((SOCKET,), ("drift", "drift_turn"), "SOCKET_ESTIMATE_LOST", rearm_waits=False),
    *_on((WRENCH,), ("wrench_spike",), "WRENCH_LIMIT"),
    *_on((WRENCH,), ("wrench_bias",), "WRENCH_LIMIT", reaction=TOLERATED),
    *_on((POSE, WRENCH, SOCKET), ("wrong_frame",), "STATE_INVALID"),
    *_on((SOCKET,), ("qos",), "SOCKET_ESTIMATE_LOST"),
    Case(kind="reflex", reasons=("REFLEX",)),
    Case(kind="user_stop", reasons=("USER_STOP",)),
    Case(kind="robot_mode", reasons=("ROBOT_MODE",)),
    Case(kind="second_publisher", reasons=("SECOND_PUBLISHER",)),
    Case(kind="switch_refused", reasons=("CONTROLLER_SWITCH_FAILED",), rearm_waits=False),
)
"""Faults that begin in the middle of an insertion."""
EARLY: tuple[Case, ...] = (
    *_on(_STATE, (*SILENCE, "delay", "stamp_past"), "STATE_LOST", "STATE_STALE", early=True, reaction=REFUSED),
    *_on((SOCKET,), (*SILENCE, "qos", "stamp_past"), "SOCKET_ESTIMATE_LOST", early=True, reaction=REFUSED),
    *_on((POSE, WRENCH, SOCKET), ("nan",), "STATE_INVALID", early=True, reaction=REFUSED),
    *_on((POSE, SOCKET), ("bad_quaternion",), "STATE_INVALID", early=True, reaction=REFUSED),
    *_on((*_STATE, SOCKET), ("stamp_future",), "STATE_TIME_INVALID", early=True, reaction=REFUSED),
    *_on((POSE, SOCKET), ("jump",), "OUT_OF_DISTRIBUTION", early=True, reaction=REFUSED),
    *_on((WRENCH,), ("wrench_spike",), "WRENCH_LIMIT", early=True, reaction=REFUSED),
    *_on((WRENCH,), ("wrench_bias",), "WRENCH_OFFSET", early=True, reaction=REFUSED),
    *_on((POSE, WRENCH, SOCKET), ("wrong_frame",), "STATE_INVALID", early=True, reaction=REFUSED),
    Case(kind="reflex", reasons=("REFLEX",), early=True, reaction=REFUSED),
    Case(kind="user_stop", reasons=("USER_STOP",), early=True, reaction=REFUSED),
    Case(kind="robot_mode", reasons=("ROBOT_MODE",), early=True, reaction=REFUSED),
    Case(kind="second_publisher", reasons=("SECOND_PUBLISHER",), early=True, reaction=REFUSED),
    Case(kind="switch_refused", reasons=("CONTROLLER_SWITCH_FAILED",), early=True, reaction=REFUSED),
)
"""Faults that are there before; those that are tolerated are covered in the middle."""
_LATE = ("STATE_LOST", "SOCKET_ESTIMATE_LOST", "STATE_TIME_INVALID")
PROCESS: tuple[Case, ...] = (
    Case(kind="stalled_node", reaction=TOLERATED, reasons=_LATE),
    Case(kind="slow_inference", reasons=("DEADLINE_MISSED", *_LATE)),
    Case(kind="far_socket", reaction=REFUSED, reasons=("OUT_OF_DISTRIBUTION",), early=True),
    Case(kind="killed_node", reaction=HELD),
    Case(kind="callback_exception", reasons=("DEFECT",), rearm_waits=False),
    Case(kind="clock_stop", reasons=("CLOCK_STOPPED",)),
    Case(kind="dead_cell", reasons=("CLOCK_STOPPED",)),
    Case(kind="second_cell", reaction=TOLERATED),
    Case(kind="dead_move_group", reasons=("CANCELLED",)),
)
"""What the bench does to processes and to the cell as a whole."""
CASES = (*DURING, *EARLY, *PROCESS)
"""All of them."""

WHAT = {name: kind.what for name, kind in KINDS.items()} | {
    "stalled_node": "the policy node is suspended for a second (SIGSTOP), then goes on",
    "slow_inference": "the policy node gets no time to think at most of its steps (SIGSTOP again and again)",
    "far_socket": "the socket is where no insertion was trained to start",
    "killed_node": "the policy node is killed (SIGKILL); the impedance controller keeps the last target",
    "callback_exception": "one of the policy node's callbacks raises an exception",
    "dead_cell": "the whole cell falls silent and answers nothing, its clock included (SIGSTOP of the twin)",
    "second_cell": "the same bring-up is started once more while the first runs",
    "dead_move_group": "`move_group` is killed (SIGKILL) while the arm moves, and the client cancels the placement",
}
"""Every kind in one sentence."""


def mismatch(case: Case, seen: Observation) -> str:
    """Compare an observation with its case; an empty string if they agree."""
    if case.kind == "stalled_node" and seen.reaction in (STOPPED, HELD):
        # What a node finds when it wakes up depends on whether its mail or its timer is faster: each is safe.
        allowed = seen.reaction == HELD or seen.reason in case.reasons
        return "" if allowed else f"expected one of {', '.join(case.reasons)}, got {seen.reason}: {seen.message}"
    if case.kind == "wrench_bias" and seen.reaction == STOPPED and seen.reason in case.reasons:
        # The bias is within the limit; with what the part meets besides it may not be.
        return ""
    if seen.reaction != case.reaction:
        return f"expected {case.reaction}, got {seen.reaction}: {seen.message}"
    reasons = case.reasons if case.reaction in (STOPPED, REFUSED) else ("NONE",)
    if seen.reason not in reasons:
        return f"expected the reason {' or '.join(reasons)}, got {seen.reason}: {seen.message}"
    return ""


def rearmed_too_early(case: Case, seen: Observation) -> str:
    """Describe a re-arming that succeeded while the cause of the stop was present; empty if there was none."""
    stopped = case.rearm_waits and seen.reaction == STOPPED and seen.rearmed_early
    return "re-armed while the cause is present" if stopped else ""


def missing() -> set[tuple[str, str]]:
    """Return the kinds and streams of the twin that no case strikes in the middle of an insertion."""
    there = {(case.kind, case.stream) for case in (*DURING, *PROCESS)}
    wanted = {(name, stream) for name, kind in KINDS.items() for stream in kind.streams or ("",)}
    return wanted - there
