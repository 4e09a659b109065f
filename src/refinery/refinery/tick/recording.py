"""What went into every tick and what came out, for the parity test and for finding out afterwards what happened."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.action import ACTION_NAMES
from refinery.errors import ConfigError, RefineryError
from refinery.npz import load_arrays, save_arrays
from refinery.rotations import Poses
from refinery.tick.samples import Inputs
from refinery.tick.tick_result import TickResult

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One episode of T ticks."""

    task_hash: str
    """Hash of the task that ran."""
    grasp: Array
    """How the plug sat in the hand, shape (3,), order :data:`refinery.initial_state.GRASP_NAMES`, [m, m, rad]."""
    measured_pos_m: Array
    """Measured tool positions, base frame, shape (T, 3), [m]."""
    measured_quat_xyzw: Array
    """Measured tool orientations, shape (T, 4)."""
    estimate_pos_m: Array
    """Socket estimates as received, base frame, shape (T, 3), [m]."""
    estimate_quat_xyzw: Array
    """Orientations of the socket estimates, shape (T, 4)."""
    wrench: Array
    """External wrenches, base frame, shape (T, 6), [N] and [Nm]."""
    now_s: Array
    """The node's clock, shape (T,), [s]."""
    observation: NDArray[np.float32]
    """Observations, shape (T, N); NaN where the guard let nothing in."""
    action: Array
    """Actions, shape (T, 6); NaN where the policy was not asked."""
    target_pos_m: Array
    """Commanded positions, base frame, shape (T, 3), [m]."""
    target_quat_xyzw: Array
    """Commanded orientations, shape (T, 4)."""
    level: NDArray[np.int64]
    """Level of the guard, shape (T,)."""

    @property
    def measured(self) -> Poses:
        """Measured tool poses, batch of T."""
        return Poses(pos_m=self.measured_pos_m, quat_xyzw=self.measured_quat_xyzw)

    @property
    def estimate(self) -> Poses:
        """Socket estimates, batch of T."""
        return Poses(pos_m=self.estimate_pos_m, quat_xyzw=self.estimate_quat_xyzw)

    @property
    def target(self) -> Poses:
        """Commanded poses, batch of T."""
        return Poses(pos_m=self.target_pos_m, quat_xyzw=self.target_quat_xyzw)

    def save(self, path: Path) -> None:
        """Write as ``.npz`` (plain arrays), whole or not at all.

        Raises:
            StorageError: It cannot be written.
        """
        arrays: dict[str, Any] = {item.name: np.asarray(getattr(self, item.name)) for item in fields(self)}
        save_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Recording:
        """Read what :meth:`save` wrote; nothing is unpickled.

        Raises:
            ConfigError: The file is not a recording.
        """
        try:
            data = load_arrays(path)
            values: dict[str, Any] = {item.name: data[item.name] for item in fields(cls)}
        except (OSError, LookupError, RefineryError) as error:
            raise ConfigError(path, "", "a recording (.npz)", str(error)) from None
        values["task_hash"] = str(values["task_hash"])
        return cls(**values)


class Recorder:
    """Collects the ticks of one episode.

    Args:
        task_hash: Hash of the task that runs.
        observation_size: Width of the observation.
    """

    def __init__(self, task_hash: str, observation_size: int) -> None:
        self._task_hash = task_hash
        self._blank_observation = np.full((1, observation_size), np.nan, dtype=np.float32)
        self._grasp = np.zeros(3)
        self._ticks: list[tuple[Inputs, TickResult, NDArray[np.float32]]] = []

    def begin(self, grasp: Array) -> None:
        """Forget the ticks so far; an episode with this grasp (1, 3) begins."""
        self._grasp = grasp[0].copy()
        self._ticks = []

    def add(self, inputs: Inputs, result: TickResult) -> None:
        """Note one tick; the observation is copied, the arrays are put together in :meth:`recording`."""
        measured, estimate = inputs.measured, inputs.estimate
        sizes = [len(measured.pos_m), len(measured.quat_xyzw), len(estimate.pos_m), len(estimate.quat_xyzw)]
        # Samples of a wrong size stop the episode; they would not fit into the arrays.
        if [*sizes, len(inputs.wrench.wrench)] == [3, 4, 3, 4, 6]:
            # The policy reads the next observation from the same memory.
            seen = self._blank_observation if result.observation is None else result.observation.copy()
            self._ticks.append((inputs, result, seen))

    def __len__(self) -> int:
        """Ticks so far."""
        return len(self._ticks)

    def recording(self) -> Recording:
        """Return the episode so far.

        Raises:
            ValueError: There was no tick.
        """
        if not self._ticks:
            raise ValueError("recording() before the first tick")
        inputs = [tick[0] for tick in self._ticks]
        results = [tick[1] for tick in self._ticks]
        nothing = [np.nan] * len(ACTION_NAMES)
        return Recording(
            task_hash=self._task_hash,
            grasp=self._grasp,
            measured_pos_m=np.array([i.measured.pos_m for i in inputs]),
            measured_quat_xyzw=np.array([i.measured.quat_xyzw for i in inputs]),
            estimate_pos_m=np.array([i.estimate.pos_m for i in inputs]),
            estimate_quat_xyzw=np.array([i.estimate.quat_xyzw for i in inputs]),
            wrench=np.array([i.wrench.wrench for i in inputs]),
            now_s=np.array([i.now_s for i in inputs]),
            observation=np.concatenate([tick[2] for tick in self._ticks]),
            action=np.array([nothing if r.action is None else r.action for r in results]),
            target_pos_m=np.array([r.target.xyz_m for r in results]),
            target_quat_xyzw=np.array([r.target.xyzw for r in results]),
            level=np.array([int(r.decision.level) for r in results]),
        )
