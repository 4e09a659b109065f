"""The motion of the jaws, free of ROS: they take time, one command at a time, and end as franka_gripper's do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from refinery.errors import RefineryError
from refinery_sim.assembly.grasping import MAX_FORCE_N, MAX_WIDTH_M
from refinery_sim.assembly.plant import AssemblyPlant

_LEAST_S = 0.05
"""A command takes at least so long, [s]."""
_MAX_SPEED_M_S = 0.2
_HOMING_SPEED_M_S = 0.05


class JawAction(Enum):
    """What the jaws do."""

    HOMING = "homing"
    MOVE = "move"
    GRASP = "grasp"


@dataclass(frozen=True, kw_only=True)
class JawCommand:
    """One command."""

    action: JawAction
    """What to do."""
    width_m: float = MAX_WIDTH_M
    """Distance of the pads to go to, or of the part that is expected, [m]."""
    speed_m_s: float = _HOMING_SPEED_M_S
    """Of the pads against each other, [m/s]."""
    epsilon_m: tuple[float, float] = (0.005, 0.005)
    """How much less and how much more wide the part may be, [m]."""
    force_n: float = MAX_FORCE_N
    """Grasping force, [N]."""


class Gripper:
    """The jaws of the plant.

    Args:
        plant: The plant.
    """

    def __init__(self, plant: AssemblyPlant) -> None:
        self._plant = plant
        self._command: JawCommand | None = None
        self._begun_s = self._ends_s = 0.0
        self._from_m = plant.gripper_width_m

    @property
    def busy(self) -> bool:
        """Whether a command is in progress."""
        return self._command is not None

    @property
    def width_m(self) -> float:
        """Distance of the pads at this moment, [m]."""
        command, now_m = self._command, self._plant.gripper_width_m
        if command is None or self._plant.held is not None:
            return now_m
        share = min(1.0, (self._plant.time_s - self._begun_s) / (self._ends_s - self._begun_s))
        return self._from_m + share * (command.width_m - self._from_m)

    def begin(self, command: JawCommand) -> None:
        """Begin a command.

        Raises:
            RefineryError: Another one is in progress, or a number is out of range.
        """
        if self.busy:
            raise RefineryError("another command of the gripper is in progress; stop it or wait")
        if not 0.0 <= command.width_m <= MAX_WIDTH_M:
            raise RefineryError(f"width: expected 0 to {MAX_WIDTH_M:g} m, got {command.width_m:g}")
        if not 0.0 < command.speed_m_s <= _MAX_SPEED_M_S:
            raise RefineryError(f"speed: expected a speed in (0, {_MAX_SPEED_M_S:g}] m/s, got {command.speed_m_s:g}")
        if not 0.0 < command.force_n <= MAX_FORCE_N:
            raise RefineryError(f"force: expected a force in (0, {MAX_FORCE_N:g}] N, got {command.force_n:g}")
        if command.action is JawAction.GRASP and self._plant.held is not None:
            raise RefineryError(f"the gripper holds {self._plant.held} already; open it first")
        self._command, self._from_m = command, self._plant.gripper_width_m
        self._begun_s = self._plant.time_s
        self._ends_s = self._begun_s + max(_LEAST_S, abs(command.width_m - self._from_m) / command.speed_m_s)

    def stop(self) -> bool:
        """End the command in progress where it is; returns whether there was one."""
        if self._command is None:
            return False
        width_m, self._command = self.width_m, None
        if self._plant.held is None:
            self._plant.open(width_m)
        return True

    def update(self) -> tuple[bool, str] | None:
        """Advance to the plant's time; returns whether the command succeeded, and a sentence, when it ends."""
        command = self._command
        if command is None or self._plant.time_s < self._ends_s:
            return None
        self._command = None
        if command.action is not JawAction.GRASP:
            self._plant.open(command.width_m)
            return True, ""
        found = self._plant.close(command.width_m, command.epsilon_m, command.force_n)
        if found.success:
            return True, ""
        what = f"{found.part}, " if found.part else ""
        return False, f"expected a part {1000 * command.width_m:.1f} mm wide, got {what}{1000 * found.width_m:.1f} mm"
