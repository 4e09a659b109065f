"""The kinds of faults, with their descriptions and magnitudes."""

from __future__ import annotations

import math
from dataclasses import dataclass

POSE, WRENCH, SOCKET, ROBOT = STREAMS = ("pose", "wrench", "socket_pose", "robot_state")
"""Streams that the cell publishes for the policy."""


@dataclass(frozen=True, kw_only=True)
class FaultKind:
    """One kind of fault."""

    what: str
    """Description, in one sentence."""
    streams: tuple[str, ...] = ()
    """Streams that it can affect; none for faults of the whole cell."""
    default: float = 0.0
    """Default magnitude, in ``unit``; 0: it has none."""
    unit: str = ""
    """Unit of the magnitude."""
    every: int = 1
    """Affects every n-th message of a stream while it is active, >= 1."""
    by_wall_clock: bool = False
    """Whether its duration counts by the wall clock, because simulated time stops while it is active."""


KINDS: dict[str, FaultKind] = {
    "drop": FaultKind(what="messages are not published", streams=STREAMS),
    "delay": FaultKind(what="messages arrive late, in order", streams=STREAMS, default=0.15, unit="s"),
    "freeze": FaultKind(what="the last message before is published again and again", streams=STREAMS),
    "reorder": FaultKind(what="every second message arrives after the one that follows it", streams=STREAMS),
    "nan": FaultKind(what="a number is not a number", streams=(POSE, WRENCH, SOCKET)),
    "bad_quaternion": FaultKind(what="the orientation is not a unit quaternion", streams=(POSE, SOCKET)),
    "stamp_future": FaultKind(what="stamps lie ahead of the clock", streams=STREAMS, default=0.5, unit="s"),
    "stamp_past": FaultKind(what="stamps lie behind the clock", streams=STREAMS, default=0.7, unit="s"),
    "jump": FaultKind(what="the pose is somewhere else", streams=(POSE, SOCKET), default=0.2, unit="m"),
    "turn": FaultKind(
        what="every tenth estimate is turned about the socket's axis, its position is right",
        streams=(SOCKET,),
        default=0.5,
        unit="rad",
        every=10,
    ),
    "flip": FaultKind(
        what="every twentieth estimate is turned half round the socket's axis, its position is right",
        streams=(SOCKET,),
        default=math.pi,
        unit="rad",
        every=20,
    ),
    "drift": FaultKind(
        what="the estimate creeps away while the socket stands still", streams=(SOCKET,), default=0.01, unit="m/s"
    ),
    "drift_turn": FaultKind(
        what="the estimate turns slowly about the socket's axis while the socket stands still",
        streams=(SOCKET,),
        default=0.15,
        unit="rad/s",
    ),
    "wrench_spike": FaultKind(what="the estimated wrench jumps", streams=(WRENCH,), default=150.0, unit="N"),
    "wrench_bias": FaultKind(
        what="a constant is added to the estimated wrench, as by a load that is configured wrongly",
        streams=(WRENCH,),
        default=35.0,
        unit="N",
    ),
    "wrong_frame": FaultKind(what="the frame is not the arm's base", streams=(POSE, WRENCH, SOCKET)),
    "qos": FaultKind(what="the publisher offers best effort where the node needs reliable", streams=(SOCKET,)),
    "reflex": FaultKind(what="the robot stops itself as after a collision and reports a reflex"),
    "user_stop": FaultKind(what="the robot stands still and reports a user stop"),
    "robot_mode": FaultKind(what="the robot stands still and reports that it is idle"),
    "second_publisher": FaultKind(what="another node publishes targets of the arm"),
    "switch_refused": FaultKind(what="the controller manager refuses to switch controllers"),
    "clock_stop": FaultKind(
        what="simulated time stands still, and with it the arm and all streams, as in a simulator that is paused",
        by_wall_clock=True,
    ),
}
"""All kinds by name."""
STILL = ("reflex", "user_stop", "robot_mode")
"""Kinds in which the arm does not move and takes no targets."""
