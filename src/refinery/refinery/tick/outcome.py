"""What the node can say about the end of an insertion, by measured pose and socket estimate, not by the truth."""

from __future__ import annotations

import dataclasses
import math

from refinery.rotations import Poses
from refinery.success import PlugOffset, plug_offset, strict
from refinery.task import SuccessSpec, Task

_SIGMAS = 3.0


def widened(task: Task, estimates: int) -> SuccessSpec:
    """Return the strict success test widened by what the estimate does not know.

    The running mean over n estimates keeps the constant bias (normal, x and y and yaw) and loses the jitter (uniform,
    of standard deviation ``jitter / sqrt(3)``) with sqrt(n). Three standard deviations of their sum are added. Depth
    tells a seated plug from one on the rim by the depth of the hole, so that the wider lateral tolerance costs little.

    Args:
        task: Tolerances and noise.
        estimates: Socket estimates averaged, n.
    """
    noise, spec = task.noise, task.success
    jitter_m = noise.estimate_jitter_m / math.sqrt(3.0 * max(1, estimates))
    lateral_m = math.hypot(noise.estimate_bias_m, jitter_m) * math.sqrt(2.0)
    return dataclasses.replace(
        spec,
        depth_tolerance_m=min(1.0, spec.depth_tolerance_m + _SIGMAS * jitter_m),
        lateral_tolerance_m=min(1.0, spec.lateral_tolerance_m + _SIGMAS * lateral_m),
        angle_tolerance_rad=min(1.0, spec.angle_tolerance_rad + _SIGMAS * noise.estimate_bias_yaw_rad),
    )


def seated(task: Task, socket: Poses, plug: Poses, estimates: int, symmetry: int) -> tuple[bool, PlugOffset]:
    """Judge the end of an insertion.

    Args:
        task: Tolerances and noise.
        socket: Running mean of the socket estimates, base frame, batch of one.
        plug: Plug pose by the measured tool pose and the grasp, base frame, batch of one.
        estimates: Socket estimates averaged.
        symmetry: Of the part (:attr:`refinery.part.PartGeometry.symmetry`).

    Returns:
        Whether the plug is seated as far as the node can tell, and where it sees it.
    """
    offset = plug_offset(socket, plug, symmetry)
    return bool(strict(offset, widened(task, estimates))[0]), offset
