"""What weights were trained with: under another control the same numbers make another motion and another force."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from refinery.action import ACTION_NAMES, SEMANTICS
from refinery.config import check, to_mapping
from refinery.observation import TERMS, Term
from refinery.task import ControlSpec, Task

AXES = ("x", "y", "z", "rx", "ry", "rz")
"""Axes of a task's settings with six values."""
_UNITS = {
    "policy_rate_hz": ("Hz",),
    "episode_s": ("s",),
    "stiffness": ("N/m", "Nm/rad"),
    "max_error": ("m", "rad"),
    "action_scale": ("m", "rad"),
}
"""Units of settings; the first is for the translations, the last for the rotations."""


@dataclass(frozen=True, kw_only=True)
class TrainedWith:
    """The control settings, the observation and the action that weights were trained with; stored beside them."""

    task: str
    """Name of the task that was trained on, for people."""
    control: ControlSpec
    """Its impedance and action. The observation is scaled by some of it, the action by others, and the rest decides
    how the arm answers."""
    observation: tuple[Term, ...] = TERMS
    """Terms of the observation, in order."""
    action: tuple[str, ...] = ACTION_NAMES
    """Components of the action, in order."""
    semantics: str = SEMANTICS
    """What the action does."""

    def __post_init__(self) -> None:
        """Refuse another observation or action than this version's: no flag makes such weights usable."""
        check(self.task.isidentifier(), "task", "letters, digits and underscores", self.task)
        for index, (got, known) in enumerate(zip(self.observation, TERMS, strict=False)):
            check(got == known, f"observation[{index}]", f"{known.name}, {known.unit} ({known.frame})", got.name)
        count = len(self.observation)
        check(count == len(TERMS), "observation", f"the {len(TERMS)} terms of this version", f"{count} terms")
        check(self.action == ACTION_NAMES, "action", f"{ACTION_NAMES}", self.action)
        check(self.semantics == SEMANTICS, "semantics", SEMANTICS, self.semantics)

    @classmethod
    def of(cls, task: Task) -> TrainedWith:
        """Return the settings of a task, for weights that are trained on it."""
        return cls(task=task.name, control=task.control)

    def differences(self, control: ControlSpec) -> tuple[str, ...]:
        """Say which settings the weights are now to run with that they were not trained with.

        Args:
            control: The settings now.

        Returns:
            A phrase for every setting and pair of values, as ``trained at 600 N/m, now 300 (control.stiffness x, y)``;
            nothing if all settings are the same.
        """
        then, now = to_mapping(self.control), to_mapping(control)
        return tuple(phrase for name in now for phrase in _compared(name, then[name], now[name]))


def _compared(name: str, then: float | list[float], now: float | list[float]) -> Iterator[str]:
    """The difference of one setting, the axes with the same two values together."""
    units = _UNITS.get(name, ("",))
    if not isinstance(then, list) or not isinstance(now, list):
        if then != now:
            yield f"trained at {then:.10g}{_unit(units[0])}, now {now:.10g} (control.{name})"
        return
    axes: dict[tuple[float, float, str], list[str]] = {}
    for axis, before, after in zip(AXES, then, now, strict=True):
        if before != after:
            unit = units[-1] if axis.startswith("r") else units[0]
            axes.setdefault((before, after, unit), []).append(axis)
    for (before, after, unit), found in axes.items():
        yield f"trained at {before:.10g}{_unit(unit)}, now {after:.10g} (control.{name} {', '.join(found)})"


def _unit(name: str) -> str:
    return f" {name}" if name else ""
