"""The twin's controller manager: the controllers, their states, and switching between them.

Every rule is that of ``switch_controller`` in ros2_control's controller manager (jazzy), for two controllers that
command the same efforts.
"""

from __future__ import annotations

from collections.abc import Sequence


class Controllers:
    """Two controllers of the arm that claim the same joints, as ros2_control keeps them.

    Args:
        trajectory: Name of the one that follows trajectories; active from the start.
        impedance: Name of the one that follows target poses.
        interfaces: Command interfaces of each, as ``joint/effort``.
    """

    def __init__(self, trajectory: str, impedance: str, interfaces: Sequence[str]) -> None:
        self.trajectory, self.impedance, self.interfaces = trajectory, impedance, tuple(interfaces)
        self.types = {
            trajectory: "joint_trajectory_controller/JointTrajectoryController",
            impedance: "crisp_controllers/CartesianController",
        }
        """Plugin of every controller, by name."""
        self._active = {trajectory}
        self._available = True
        self.refuse = False
        """Whether every switch fails, as after a hardware error (an injected fault)."""

    def states(self) -> dict[str, str]:
        """State of every controller, by name."""
        return {name: "active" if name in self._active else "inactive" for name in self.types}

    @property
    def active(self) -> str | None:
        """Name of the active controller, or None."""
        return next(iter(self._active), None)

    def fail(self) -> None:
        """Deactivate all, as after an error of the hardware; until :meth:`recover` none can be activated."""
        self._active, self._available = set(), False

    def recover(self) -> None:
        """Activate hardware and trajectory controller again, as a person does after an error."""
        self._active, self._available = {self.trajectory}, True

    def switch(self, activate: Sequence[str], deactivate: Sequence[str], *, strict: bool) -> str | None:
        """Change which controllers are active.

        Args:
            activate: Names to activate; one that is also in ``deactivate`` is restarted.
            deactivate: Names to deactivate.
            strict: Change nothing if any name is invalid; otherwise apply the valid ones.

        Returns:
            None, or why nothing was changed.
        """
        if self.refuse:
            return "the hardware refused the command mode (an injected fault)"
        unknown = [f"no controller {name!r}" for name in (*activate, *deactivate) if name not in self.types]
        # Best effort passes over unknown names, but not over a list that has no others.
        nothing = any(names and not self.types.keys() & set(names) for names in (activate, deactivate))
        on, off = self.types.keys() & set(activate), self._active & set(deactivate)
        double = sorted((on & self._active) - off)
        idle = sorted((self.types.keys() & set(deactivate)) - self._active)
        problems = (
            unknown + [f"{name} is active already" for name in double] + [f"{name} is not active" for name in idle]
        )
        if (strict and problems) or nothing:
            return "; ".join(problems)
        if on - set(double) and not self._available:
            return f"the command interface {self.interfaces[0]} is not available: the hardware is not active"
        wanted = (self._active - off) | on
        if len(wanted) > 1:
            # Best effort does not help here either: a joint's command can be claimed once.
            return f"{' and '.join(sorted(wanted))} both claim {self.interfaces[0]} and others; deactivate one"
        self._active = wanted
        return None
