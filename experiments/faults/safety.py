"""Safety properties that must hold under every fault, checked on records that no fault affects; no ROS."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from refinery.force_bound import commanded_force_bound
from refinery.kinematics import ArmKinematics
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery.tick.recording import Recording

SETTLE_S = 0.35
"""After the hand-back the arm, caught in motion, has stopped swinging in this time, [s] of simulated time."""
REST_S = 0.7
"""Where no controller takes the arm back, the impedance spring stops it in this time, [s] of simulated time."""
WATCH_S = 0.25
"""For so long it is watched after that, [s] of simulated time."""
STILL_M = 1e-3
"""A tool that moves less than this after that is still, [m]."""
RUN_OUT_M = 0.010
"""Largest stopping distance of the tool from full speed, [m]."""
FORCE_SLACK_N = 1.0
"""Commanded force over the bound that is rounding, calibration error and the arm's motion between two cycles, [N]."""
_SIGMAS = 4.0


@dataclass
class History:
    """What happened since the trial began; times are simulated, [s]."""

    kinematics: ArmKinematics
    """Of the arm."""
    joints: list[tuple[float, Array]] = field(default_factory=list)
    """Joint positions, (7,), [rad]."""
    commanded_n: list[tuple[float, float]] = field(default_factory=list)
    """Magnitude of the force that the impedance controller commands, [N]."""
    targets: list[tuple[float, Array]] = field(default_factory=list)
    """Targets on the arm's topic: x, y, z [m], quaternion xyzw."""

    def clear(self) -> None:
        """Forget everything."""
        for samples in (self.joints, self.commanded_n, self.targets):
            samples.clear()

    def tool_positions(self, since_s: float) -> Array:
        """Return the tool's true positions since a time, base frame, shape (n, 3), [m]."""
        rows = [joints for time_s, joints in self.joints if time_s >= since_s]
        return self.kinematics.forward(np.stack(rows)).pos_m if rows else np.zeros((0, 3))

    def released_s(self) -> float:
        """Return when the impedance controller last had the arm, [s]; 0 if it never had."""
        return max((time_s for time_s, force in self.commanded_n if force > 0.0), default=0.0)

    def largest_force_n(self) -> float:
        """Return the largest commanded force, [N]."""
        return max((force for _, force in self.commanded_n), default=0.0)


def force_problem(history: History, task: Task) -> str:
    """Describe a commanded force over the task's bound; an empty string if there was none."""
    limit, got = force_limit_n(task), history.largest_force_n()
    return f"commanded force {got:.1f} N over the limit of {limit:.1f} N" if got > limit + FORCE_SLACK_N else ""


def force_limit_n(task: Task) -> float:
    """Return the bound of the commanded force, all axes at their limits, [N]."""
    return float(np.linalg.norm(commanded_force_bound(task.control)[:3]))


def bound_problem(recording: Recording | None, task: Task) -> str:
    """Describe a target further from the measured pose than the task allows; an empty string if there was none."""
    if recording is None:
        return ""
    axes = recording.estimate.rotation
    away = np.abs(axes.apply(recording.target_pos_m - recording.measured_pos_m, inverse=True))
    limit = np.linalg.norm(np.asarray(task.control.max_error)[:3])
    ours = recording.level == 0
    got = float(np.linalg.norm(away[ours], axis=1).max()) if ours.any() else 0.0
    return (
        f"target {got * 1e3:.1f} mm from the measured pose, the limit is {limit * 1e3:.1f} mm"
        if got > (limit + 1e-6)
        else ""
    )


def box_problem(history: History, task: Task, socket: Poses, *, lied_to: bool) -> str:
    """Describe a target that leaves the workspace box around the true socket; an empty string if there was none.

    Args:
        history: Since the trial began.
        task: Box and noise.
        socket: True pose, base frame, batch of one.
        lied_to: Whether poses were off by an amount the guard accepts: the box it keeps is then off by as much.
    """
    if not history.targets:
        return ""
    values = np.stack([value for _, value in history.targets])
    if not np.isfinite(values).all():
        return "a target is not finite"
    tips = (Poses(pos_m=values[:, :3], quat_xyzw=values[:, 3:]) @ task.plug.tool_from_plug).pos_m
    inside = socket.rotation[0].apply(tips - socket.pos_m[0], inverse=True)
    noise = _SIGMAS * task.noise.estimate_bias_m + task.noise.estimate_jitter_m
    margin = noise + (np.asarray(task.control.max_error)[:3] + 0.02 if lied_to else 0.0)
    low, high = np.asarray(task.limits.workspace_low_m) - margin, np.asarray(task.limits.workspace_high_m) + margin
    over = float(np.maximum(low - inside, inside - high).max())
    return f"target {over * 1e3:.1f} mm outside the workspace box" if over > 0 else ""


def rest_s(history: History, stopped_s: float, *, handed_back: bool) -> float:
    """Return when the arm must be at rest after a stop.

    Args:
        history: Until the hand-back.
        stopped_s: Time of the stop, [s].
        handed_back: Whether the trajectory controller has taken over.

    Returns:
        Simulated time, [s].
    """
    return max(stopped_s, history.released_s()) + SETTLE_S if handed_back else stopped_s + REST_S


def motion_problem(history: History, stopped_s: float, rest_from_s: float) -> str:
    """Describe motion of the arm, or targets for it, after a stop; an empty string if there were none.

    Args:
        history: Until :data:`WATCH_S` after ``rest_from_s``.
        stopped_s: Time of the stop, [s].
        rest_from_s: When the arm must be at rest, [s].
    """
    late = [time_s for time_s, _ in history.targets if time_s > stopped_s + 1e-6]
    if late:
        return f"{len(late)} targets after the stop, the last {late[-1] - stopped_s:.3f} s later"
    path = history.tool_positions(stopped_s)
    rest = history.tool_positions(rest_from_s)
    if len(rest) < 2:
        return "too few states after the stop"
    if (crept := spread_m(rest)) > STILL_M:
        return f"the tool moved {crept * 1e3:.2f} mm after it should have come to rest"
    if (ran := spread_m(path)) > RUN_OUT_M:
        return f"the tool ran on for {ran * 1e3:.1f} mm after the stop"
    return ""


def spread_m(path: Array) -> float:
    """Return how far positions (n, 3) get from the first of them, [m]; 0 if there are none."""
    return float(np.linalg.norm(path - path[0], axis=1).max()) if len(path) else 0.0
