"""Recorded episodes put once more through the code the training environment steps, in a batch as it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.action import ActionDecoder
from refinery.observation import ObservationEncoder
from refinery.rotations import Poses
from refinery.task import Task
from refinery.tick.recording import Recording

Array = NDArray[np.float64]
BatchPolicy = Callable[[NDArray[np.float32]], Array]
"""Observations of B episodes at one tick (B, N) to actions (B, 6)."""


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What the training code makes of B recorded episodes of T ticks."""

    observation: NDArray[np.float32]
    """Shape (B, T, N)."""
    action: Array
    """Shape (B, T, 6)."""
    target_pos_m: Array
    """Shape (B, T, 3), base frame, [m]."""
    target_quat_xyzw: Array
    """Shape (B, T, 4)."""


def replay(task: Task, recordings: Sequence[Recording], policy: BatchPolicy) -> Replay:
    """Replay episodes of equal length that the guard never touched.

    Args:
        task: The task they ran.
        recordings: B episodes of T ticks each.
        policy: The policy, for all episodes of a tick at once.

    Returns:
        Observations, actions and targets as the training environment would have had them.

    Raises:
        ValueError: There is no recording, or their lengths differ.
    """
    lengths = {len(recording.now_s) for recording in recordings}
    if len(lengths) != 1:
        raise ValueError(f"expected recordings of one length, got lengths {sorted(lengths)}")
    count, ticks = len(recordings), lengths.pop()
    encoder, decoder = ObservationEncoder(task, count), ActionDecoder(task.control, count)
    first = _batch([r.measured for r in recordings], 0)
    encoder.reset(first, grasp=np.stack([r.grasp for r in recordings]))
    decoder.reset(first)
    observations, actions, positions, quaternions = [], [], [], []
    for tick in range(ticks):
        measured = _batch([r.measured for r in recordings], tick)
        socket = encoder.filter_socket(_batch([r.estimate for r in recordings], tick))
        observation = encoder.encode(measured, socket, decoder.target, decoder.smoothed)
        action = policy(observation)
        target = decoder.decode(action, measured, socket)
        observations.append(observation)
        actions.append(action)
        positions.append(target.pos_m)
        quaternions.append(target.quat_xyzw)
    return Replay(
        observation=np.stack(observations, axis=1),
        action=np.stack(actions, axis=1),
        target_pos_m=np.stack(positions, axis=1),
        target_quat_xyzw=np.stack(quaternions, axis=1),
    )


def _batch(poses: Sequence[Poses], tick: int) -> Poses:
    return Poses(
        pos_m=np.stack([p.pos_m[tick] for p in poses]),
        quat_xyzw=np.stack([p.quat_xyzw[tick] for p in poses]),
    )
