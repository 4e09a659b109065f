"""The twin's controller manager: which controllers are there, which are active, and STRICT switching between them."""

from __future__ import annotations

from collections.abc import Sequence

_CLAIMS = "effort"


class Controllers:
    """Two controllers of the arm that claim the same joints, as ros2_control keeps them.

    Args:
        trajectory: Name of the one that follows trajectories; active from the start.
        impedance: Name of the one that follows target poses.
    """

    def __init__(self, trajectory: str, impedance: str) -> None:
        self.trajectory, self.impedance = trajectory, impedance
        self.types = {
            trajectory: "joint_trajectory_controller/JointTrajectoryController",
            impedance: "crisp_controllers/CartesianController",
        }
        """Plugin of every controller, by name."""
        self._active = {trajectory}
        self.refuse = False
        """Whether every switch fails, as after a hardware error (an injected fault)."""

    def states(self) -> dict[str, str]:
        """State of every controller, by name."""
        return {name: "active" if name in self._active else "inactive" for name in self.types}

    @property
    def impedance_active(self) -> bool:
        """Whether the arm follows target poses."""
        return self.impedance in self._active

    def switch(self, activate: Sequence[str], deactivate: Sequence[str], *, strict: bool) -> str:
        """Change which controllers are active.

        Args:
            activate: Names to activate.
            deactivate: Names to deactivate.
            strict: Change nothing if any name cannot be done; otherwise do what can be done.

        Returns:
            An empty string, or why nothing was changed.
        """
        if self.refuse:
            return "the hardware refused the command mode (an injected fault)"
        problems = [f"no controller {name!r}" for name in (*activate, *deactivate) if name not in self.types]
        problems += [f"{name} is active already" for name in activate if name in self._active]
        problems += [f"{name} is not active" for name in deactivate if name in self.types and name not in self._active]
        wanted = (self._active | (set(activate) & self.types.keys())) - set(deactivate)
        if len(wanted) > 1:
            # Best effort does not help here either: a joint's command can be claimed once.
            return f"{' and '.join(sorted(wanted))} both claim the joints' {_CLAIMS}; deactivate one"
        if strict and problems:
            return "; ".join(problems)
        self._active = wanted
        return ""
