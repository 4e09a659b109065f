"""Thresholds of the guard that belong to the installation, not to the task."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.config import check
from refinery.task import Task

HOLD_PERIODS = 2.0
"""A state may be so many policy periods old before the guard holds."""
_POSITIVE = (
    "hold_age_s",
    "stop_age_s",
    "estimate_age_s",
    "estimate_jump_m",
    "estimate_jump_rad",
    "estimate_drift_m",
    "estimate_drift_rad",
    "pose_jump_m",
    "deadline_s",
)


@dataclass(frozen=True, kw_only=True)
class GuardSettings:
    """Thresholds, all in the node's clock."""

    hold_age_s: float
    """State older than this: hold, [s], > 0. :data:`HOLD_PERIODS` by default (:meth:`for_task`)."""
    stop_age_s: float = 0.1
    """State older than this: stop, [s], > 0. Checked first: below 20 Hz, where two policy periods exceed 100 ms, a
    stale state therefore stops without holding before."""
    future_tolerance_s: float = 0.02
    """How far ahead of the clock a stamp may be (clock skew; simulated clocks arrive after the data), [s], >= 0."""
    estimate_age_s: float = 0.5
    """Socket estimate older than this: stop, [s], > 0."""
    estimate_jump_m: float = 0.02
    """Socket estimate this far from the mean of those before: an outlier, [m], > 0."""
    estimate_jump_rad: float = 0.2
    """The same for its orientation, [rad], > 0; other ways round that look the same do not count."""
    estimate_outlier_ticks: int = 3
    """Outliers in this many ticks in a row: stop, >= 1 (the socket was moved, or is another one)."""
    estimate_drift_m: float = 0.005
    """Mean of the newest estimates this far from that of the first of a run: stop, [m], > 0."""
    estimate_drift_rad: float = 0.1
    """The same for its orientation, [rad], > 0."""
    wrench_offset_warn_share: float = 0.15
    """External wrench of the arm at rest over this share of its limit: a warning, (0, 1]."""
    wrench_offset_refuse_share: float = 0.4
    """External wrench of the arm at rest over this share of its limit: refuse to start, (0, 1]."""
    pose_jump_m: float = 0.005
    """Measured pose this much further from the one before than ``limits.max_speed_m_s`` explains: stop, [m], > 0."""
    quaternion_tolerance: float = 1e-3
    """How far the norm of a quaternion may be from 1, (0, 0.1]."""
    clip_stop_ticks: int = 5
    """Targets clipped in this many ticks in a row: stop, >= 1."""
    deadline_s: float
    """Longest duration and lateness of a tick, [s], > 0. One policy period by default."""
    deadline_hold_ticks: int = 3
    """Deadline missed in this many ticks in a row: hold, >= 1."""
    deadline_stop_ticks: int = 6
    """Deadline missed in this many ticks in a row: stop, not below ``deadline_hold_ticks``."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name in _POSITIVE:
            check(getattr(self, name) > 0, name, "a positive value", getattr(self, name))
        check(self.future_tolerance_s >= 0, "future_tolerance_s", ">= 0 s", self.future_tolerance_s)
        check(0 < self.quaternion_tolerance <= 0.1, "quaternion_tolerance", "(0, 0.1]", self.quaternion_tolerance)
        check(self.clip_stop_ticks >= 1, "clip_stop_ticks", ">= 1", self.clip_stop_ticks)
        check(self.deadline_hold_ticks >= 1, "deadline_hold_ticks", ">= 1", self.deadline_hold_ticks)
        check(self.estimate_outlier_ticks >= 1, "estimate_outlier_ticks", ">= 1", self.estimate_outlier_ticks)
        for name in ("wrench_offset_warn_share", "wrench_offset_refuse_share"):
            check(0 < getattr(self, name) <= 1, name, "(0, 1]", getattr(self, name))
        ordered = self.deadline_stop_ticks >= self.deadline_hold_ticks
        check(ordered, "deadline_stop_ticks", f">= {self.deadline_hold_ticks}", self.deadline_stop_ticks)

    @classmethod
    def for_task(cls, task: Task, **changes: float) -> GuardSettings:
        """Return the defaults at the task's policy rate, with some fields changed."""
        period_s = 1.0 / task.control.policy_rate_hz
        values: dict[str, float] = {"hold_age_s": HOLD_PERIODS * period_s, "deadline_s": period_s, **changes}
        return cls(**values)  # type: ignore[arg-type]
