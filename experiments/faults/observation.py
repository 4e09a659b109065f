"""The outcome of one injection, ready for JSON."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Observation:
    """One injection; times are simulated, [s]."""

    kind: str
    """Kind of fault."""
    stream: str = ""
    """Stream that the fault affects."""
    early: bool = False
    """It began before the insertion was requested."""
    seed: int = 0
    """Of the trial."""
    delay_s: float = 0.0
    """From the beginning of the insertion to the fault."""
    duration_s: float = 0.0
    """Of the fault; 0: until it was ended."""
    magnitude: float = 0.0
    """0: the kind's default."""
    reaction: str = ""
    """One of :data:`experiments.faults.expectations.REACTIONS`."""
    reason: str = "NONE"
    """Name in refinery_msgs/GuardReason."""
    message: str = ""
    """Message of the node."""
    ticks: int | None = None
    """Policy steps from the fault up to the one that reacted, itself included; None where none did."""
    rearmed_early: bool | None = None
    """Whether re-arming succeeded while the fault was on; None where that was not tried."""
    force_n: float = 0.0
    """Largest commanded force, [N]."""
    not_latched: str = ""
    """How a stop was not latched; empty if it was, or if there was none."""
    unsafe: list[str] = field(default_factory=list)
    """Everything else that must not happen and did."""

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON types, with numbers a person can read."""
        values = dataclasses.asdict(self)
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in values.items()}
