"""Whether a robot can do what a task asks of it: rates, gains, damping, speeds and forces against its profile."""

from __future__ import annotations

from collections.abc import Iterator

from refinery.controller_gains import configured_damping
from refinery.force_bound import commanded_force_bound
from refinery.robot_profile import RobotProfile
from refinery.task import APPARENT_INERTIA_KGM2, APPARENT_MASS_KG, Task
from refinery.trained_with import AXES

_DAMPING_TOLERANCE = 0.01
"""Largest difference of two dampings that are meant to be the same, as a share."""


def misfits(task: Task, profile: RobotProfile) -> list[str]:
    """Compare what holds wherever the arm stands; whether it reaches the socket is another question.

    Args:
        task: The task.
        profile: The robot.

    Returns:
        A phrase for every misfit: what was expected, from which key, and what came.

    Raises:
        ConfigError: The controllers' file that the profile names cannot be read.
    """
    return [*_rates(task, profile), *_gains(task, profile), *_damping(task, profile), *_limits(task, profile)]


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


def _damping(task: Task, profile: RobotProfile) -> Iterator[str]:
    """The controller's damping is fixed: with another stiffness the arm is damped otherwise than in training."""
    gains = configured_damping(profile)
    for i, (gain, wanted) in enumerate(zip(gains or (), task.control.damping, strict=False)):
        if abs(gain.value - wanted) > _DAMPING_TOLERANCE * wanted:
            inertia, unit = ((APPARENT_MASS_KG, "Ns/m"), (APPARENT_INERTIA_KGM2, "Nms/rad"))[i // 3]
            spring = task.control.stiffness[i] if i < 3 else task.control.turning_stiffness
            # A whole number would be refused where a parameter is a float.
            yield (
                f"{gain.where}: expected {float(f'{wanted:.3g}')} {unit} (2 x {task.control.damping_ratio:g} x "
                f"sqrt({spring:g} x {inertia:g}), {AXES[i]}), got {gain.value:g}{gain.note}; write it there"
            )


def _limits(task: Task, profile: RobotProfile) -> Iterator[str]:
    """The guard stops at the task's limits, so these must come before the robot's own."""
    speed, most = task.limits.max_speed_m_s, profile.limits.tool_speed_m_s
    if speed > most:
        yield _problem("limits.max_speed_m_s", "", most, "limits.tool_speed_m_s", speed, "m/s")
    wrench, units = profile.limits.tool_wrench, ("N", "Nm")
    yield from _axes("limits.max_wrench", task.limits.max_wrench, wrench, "limits.tool_wrench", units)
    forces = "control.stiffness x max_error"
    yield from _axes(forces, commanded_force_bound(task.control), wrench, "limits.tool_wrench", units)


def _axes(
    name: str, given: tuple[float, ...], most: tuple[float, ...], key: str, units: tuple[str, str]
) -> Iterator[str]:
    """Compare axis by axis; the first of the units is for the three translations, the second for the rotations."""
    for i, (value, limit) in enumerate(zip(given, most, strict=True)):
        if value > limit:
            yield _problem(name, f" {AXES[i]}", limit, key, value, units[i // 3])


def _problem(name: str, axis: str, limit: float, key: str, got: float, unit: str) -> str:
    return f"task {name}{axis}: expected at most {limit:g} {unit} ({key}), got {got:g} {unit}"
