"""A cell that stands still: samples of an arm in front of a socket seen with noise, stamped one period apart."""

from __future__ import annotations

import numpy as np

from refinery.initial_state import tool_pose
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.samples import sample
from refinery.tick.samples import Inputs, RobotMode, RobotSample, WrenchSample


class StillCell:
    """Gives samples of an arm that does not move.

    Args:
        task: The task; the arm stands where its deployment box has its middle.
    """

    def __init__(self, task: Task) -> None:
        self._period_s = 1.0 / task.control.policy_rate_hz
        self._jitter_m = task.noise.estimate_jitter_m
        self._rng = np.random.default_rng(0)
        self._now_s = 1000.0
        box = task.initial_state.deployed
        self.socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, [0.0, 0.0, 0.1])
        """Where the socket is, base frame."""
        self.tool = tool_pose(self.socket, (box.low + box.high)[None] / 2, task.plug.tool_from_plug)
        """Where the arm is, base frame."""

    def inputs(self) -> Inputs:
        """Return the samples of the next tick."""
        now = self._now_s = self._now_s + self._period_s
        seen = self.socket.pos_m + self._rng.uniform(-1, 1, 3) * self._jitter_m
        return Inputs(
            measured=sample(self.tool, now),
            estimate=sample(Poses(pos_m=seen, quat_xyzw=self.socket.quat_xyzw), now),
            wrench=WrenchSample(wrench=(0.0,) * 6, stamp_s=now),
            robot=RobotSample(mode=RobotMode.MOVE, errors=(), stamp_s=now),
            now_s=now,
        )
