"""The policy steps of a bag as a recording of the policy node would have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from refinery.observation import OBSERVATION_SIZE
from refinery.tick.recording import Recording
from refinery_evaluation.replaying.episode import Episode, read_episodes
from refinery_evaluation.replaying.replay import bundle_of
from refinery_msgs.msg import PolicyTick


def read_bag(bag: Path, bundle: Path | None) -> tuple[Recording, Path]:
    """Read the last insertion of a bag.

    Args:
        bag: Its folder, or its MCAP file.
        bundle: Where the bundle is that it ran; None: where it was.

    Returns:
        The insertion and the bundle's directory.

    Raises:
        RefineryError: It is no bag of policy steps, or the bundle is not there or another one.
    """
    episode = read_episodes(bag)[-1]
    return recording_of(episode), bundle_of(episode, bundle).path


def recording_of(episode: Episode) -> Recording:
    """Return the steps of an insertion; some may be missing."""
    ticks = episode.ticks
    target = _rows(ticks, "target")
    return Recording(
        task_hash=episode.about.task_hash,
        grasp=episode.grasp[0],
        measured_pos_m=_rows(ticks, "measured_pos_m"),
        measured_quat_xyzw=_rows(ticks, "measured_quat_xyzw"),
        estimate_pos_m=_rows(ticks, "estimate_pos_m"),
        estimate_quat_xyzw=_rows(ticks, "estimate_quat_xyzw"),
        wrench=_rows(ticks, "wrench"),
        now_s=_rows(ticks, "now_s"),
        observation=np.array([_seen(tick) for tick in ticks], dtype=np.float32),
        action=np.array([tick.action if tick.acted else np.full(6, np.nan) for tick in ticks]),
        target_pos_m=target[:, :3],
        target_quat_xyzw=target[:, 3:],
        level=np.array([tick.level for tick in ticks], dtype=np.int64),
    )


def _rows(ticks: tuple[PolicyTick, ...], name: str) -> NDArray[np.float64]:
    return np.array([getattr(tick, name) for tick in ticks], dtype=np.float64)


def _seen(tick: PolicyTick) -> list[float]:
    return list(tick.observation) if len(tick.observation) else [np.nan] * OBSERVATION_SIZE
