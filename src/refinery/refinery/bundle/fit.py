"""Whether a policy may run on a robot: rates, gains, forces, speeds and frames of its task against the profile."""

from __future__ import annotations

from collections.abc import Iterator

from refinery.bundle.files import MANIFEST
from refinery.bundle.metadata import FRAMES
from refinery.bundle.reader import Bundle
from refinery.errors import BundleError
from refinery.robot_profile import RobotProfile
from refinery.task import Task

_AXES = ("x", "y", "z", "rx", "ry", "rz")
_DAMPING_TOLERANCE = 0.01
"""Largest difference of two damping ratios that are meant to be the same."""


def check_fit(bundle: Bundle, profile: RobotProfile) -> None:
    """Check that a robot can do what the policy of a bundle was trained to ask of it.

    Only what holds wherever the arm stands is compared; whether it reaches the socket is seen when it gets there.

    Args:
        bundle: A checked bundle.
        profile: The robot.

    Raises:
        BundleError: Naming both files and, for every misfit, what was expected and what came.
    """
    problems = [*_rates(bundle.task, profile), *_gains(bundle.task, profile), *_limits(bundle.task, profile)]
    problems += _frames(bundle, profile)
    if problems:
        where = profile.file or f"robot profile {profile.name!r}"
        raise BundleError(
            f"{bundle.path / MANIFEST} does not fit {where}: {'; '.join(problems)}. "
            "Refine the task for this robot, or correct the profile if the robot can do more"
        )


def _rates(task: Task, profile: RobotProfile) -> Iterator[str]:
    """The policy must see a new state every step."""
    rate, measured = task.control.policy_rate_hz, profile.measured_rate_hz
    if measured is not None and rate > measured:
        key = "state_rate_hz" if profile.twin is None else "twin.state_rate_hz"
        yield _problem("control.policy_rate_hz", "", measured, key, rate, "Hz")


def _gains(task: Task, profile: RobotProfile) -> Iterator[str]:
    """The controller would clamp gains silently, and the policy would meet another robot than in training."""
    control, impedance = task.control, profile.impedance
    for name, given, most, key, units in (
        ("control.stiffness", control.stiffness, impedance.max_stiffness, "max_stiffness", ("N/m", "Nm/rad")),
        ("control.max_error", control.max_error, impedance.error_clip, "error_clip", ("m", "rad")),
    ):
        yield from _axes(name, given, most, f"impedance.{key}", units)
    ratio = impedance.damping_ratio
    if ratio is not None and abs(control.damping_ratio - ratio) > _DAMPING_TOLERANCE:
        yield (
            f"task control.damping_ratio: expected {ratio:g} (impedance.damping_ratio), got {control.damping_ratio:g}"
        )


def _limits(task: Task, profile: RobotProfile) -> Iterator[str]:
    """The guard stops at the task's limits, so these must come before the robot's own."""
    speed, most = task.limits.max_speed_m_s, profile.limits.tool_speed_m_s
    if speed > most:
        yield _problem("limits.max_speed_m_s", "", most, "limits.tool_speed_m_s", speed, "m/s")
    wrench, units = profile.limits.tool_wrench, ("N", "Nm")
    yield from _axes("limits.max_wrench", task.limits.max_wrench, wrench, "limits.tool_wrench", units)
    forces = "control.stiffness x max_error"
    yield from _axes(forces, task.control.max_force, wrench, "limits.tool_wrench", units)


def _frames(bundle: Bundle, profile: RobotProfile) -> Iterator[str]:
    """A policy that is tied to one robot's frames says so; others run in any."""
    for name, wanted in bundle.metadata.get(FRAMES, {}).items():
        got = getattr(profile.frames, name)
        if wanted != got:
            yield f"{bundle.policy_path.name}: {FRAMES}.{name}: expected {got!r} (frames.{name}), got {wanted!r}"


def _axes(
    name: str, given: tuple[float, ...], most: tuple[float, ...], key: str, units: tuple[str, str]
) -> Iterator[str]:
    """Compare axis by axis; the first of the units is for the three translations, the second for the rotations."""
    for i, (value, limit) in enumerate(zip(given, most, strict=True)):
        if value > limit:
            yield _problem(name, f" {_AXES[i]}", limit, key, value, units[i // 3])


def _problem(name: str, axis: str, limit: float, key: str, got: float, unit: str) -> str:
    return f"task {name}{axis}: expected at most {limit:g} {unit} ({key}), got {got:g} {unit}"
