"""What is kept of an assembly."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step as it ended, by the truth and by what the robot can tell."""

    step: str
    """Name of the step."""
    seated: bool
    """Whether the part, and every part before it, is seated after it was let go, by the truth."""
    verified: bool
    """Whether the robot took it for seated, by kinematics and its estimate of the socket."""
    attempts: int
    """Insertions that were run."""
    stopped: str
    """Why the guard stopped the last one; empty if it did not."""
    insertion_s: float
    """Simulated time of all attempts, [s]."""
    estimate_error_mm: float
    """Distance across the axis of the estimated seat from the true one when the last insertion began."""
    carried_mm: float
    """Distance across the axis of the true seat from where it would be if all parts before sat in the middle."""
    height_mm: float
    """Of the tip over its seat at the end."""
    lateral_mm: float
    """Distance of the tip from the axis of its seat at the end."""
    angle_deg: float
    """Turn and tilt against its seat at the end."""


@dataclass(frozen=True, kw_only=True)
class AssemblyRecord:
    """One assembly, or one step of it alone."""

    seed: int
    """Of all its random numbers."""
    steps: tuple[StepRecord, ...]
    """The steps that were done; after one that failed there is none."""
    finished: bool
    """Whether all parts are seated at the end."""

    @property
    def first_tries(self) -> bool:
        """Whether it was finished without inserting any part twice."""
        return self.finished and all(step.attempts == 1 for step in self.steps)
