"""Initial states as Isaac Lab's insertion tasks take them: poses of the two parts and of the fingertips."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.errors import ConfigError
from refinery.initial_state import POSE_NAMES, plug_pose, tool_pose
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim_train.env.episodes import Episodes


@dataclass(frozen=True, kw_only=True)
class Starts:
    """Where n episodes start, in the frame of each environment's origin, which is the arm's base frame there."""

    fixed: Poses
    """Poses of the fixed asset, the socket."""
    held: Poses
    """Poses of the held asset, the plug; its frame coincides with the socket's when it is seated."""
    fingertips: Poses
    """Poses of the point between the fingertips, z towards the part."""
    estimate_error_m: Array
    """Error of the fixed asset's observed position, constant over the episode, shape (n, 3), [m]."""


def starts_of(task: Task, episodes: Episodes) -> Starts:
    """Map drawn episodes to poses.

    Args:
        task: Says how the plug sits in the hand.
        episodes: Episodes; initial states are relative to the estimated socket, as everywhere.

    Raises:
        ConfigError: An initial state tilts the plug: the controllers of these tasks keep the hand upright.
    """
    tilt = np.abs(episodes.theta[:, 3:5])
    if tilt.size and tilt.max() > 0:
        name = POSE_NAMES[3 + int(np.argmax(tilt.max(axis=0)))]
        hint = "the controllers of Factory and AutoMate hold the hand upright"
        raise ConfigError(f"task {task.name}", f"initial_state.{name}", "0 rad", float(tilt.max()), hint)
    held = plug_pose(episodes.estimate, episodes.theta)
    return Starts(
        fixed=episodes.socket,
        held=held,
        fingertips=tool_pose(episodes.estimate, episodes.theta, task.plug.tool_from_plug),
        estimate_error_m=episodes.estimate.pos_m - episodes.socket.pos_m,
    )
