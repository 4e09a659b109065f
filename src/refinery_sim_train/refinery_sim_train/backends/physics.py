"""What the insertion environment needs from a simulator.

Observation, action, reward and success are computed above this line, once for all simulators; a backend only moves the
arm under the impedance law and lets the plug touch the plate.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim_train.arrays import Arrays

SUBSTEPS = 24
"""Physics steps per policy step: 360 Hz at the paper's 15 Hz (contact is stable up to 4 ms steps)."""


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """Which simulator an environment runs on: part of a run's identity and of a bundle's provenance."""

    backend: str
    """Name, as ``--backend`` takes it."""
    device: str
    """Device of the physics: ``cpu`` or ``cuda:<index>``."""
    versions: dict[str, str]
    """Versions of the libraries that step the physics, by distribution."""

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        return asdict(self)


class Physics(Protocol):
    """A batch of B cells; arrays are numpy, poses in the base frame with quaternions xyzw, metres and radians."""

    count: int
    """Number of cells B."""
    simulator: Simulator
    """What steps them."""

    def impose(
        self, rows: NDArray[np.intp], joints_rad: Array, socket: Poses, hand_from_plug: Poses, friction: Array
    ) -> None:
        """Put cells at rest into a state; the joint springs hold the elbow at these joints from now on.

        Args:
            rows: The cells, k of them.
            joints_rad: Joint positions, shape (k, 7), [rad].
            socket: Socket poses, k of them.
            hand_from_plug: Where the plug sits in the hand, k poses in the hand frame.
            friction: Sliding friction coefficient of the plug, shape (k,).
        """

    def command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the tool poses that the impedance law pulls to, one for each of the rows."""

    def step(self) -> None:
        """Advance all cells by one policy period, :data:`SUBSTEPS` steps."""

    def joints_rad(self) -> Array:
        """Joint positions, shape (B, 7), [rad]."""

    def contact_torque_nm(self) -> Array:
        """Torques of all contacts on the joints at the last physics step, shape (B, 7), [Nm].

        The force on the plug is told from them alike in every simulator.
        """

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, copied."""

    def restore(self, arrays: Arrays) -> None:
        """Go back to a :meth:`snapshot` of the same task and count, to the bit on a CPU."""


def timestep_s(task: Task) -> float:
    """Physics step of a task, [s]."""
    return 1.0 / (task.control.policy_rate_hz * SUBSTEPS)
