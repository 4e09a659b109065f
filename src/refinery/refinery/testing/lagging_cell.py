"""A cell of a few lines for the tests: an arm that follows its target with a lag, and a socket seen with noise."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from refinery.initial_state import GRASP, tool_pose
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.samples import changed, sample
from refinery.tick.guard import Level
from refinery.tick.pose import Pose
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.samples import Inputs, WrenchSample
from refinery.tick.tick_result import TickResult


class LaggingCell:
    """No contact: the arm closes a share of its distance to the target in every period.

    Args:
        task: The task.
        seed: Of the socket's pose and of the estimates' jitter.
        theta: Initial state, shape (9,); the middle of the deployment box if None.
    """

    def __init__(self, task: Task, seed: int = 0, theta: np.ndarray | None = None) -> None:
        self.task = task
        self._rng = np.random.default_rng(seed)
        box = task.initial_state.deployed
        theta = (box.low + box.high) / 2 if theta is None else theta
        xyz = np.asarray(task.socket.nominal_xyz_m) + self._rng.uniform(-1, 1, 3) * task.socket.range_xyz_m
        self.socket = Poses.from_xyz_rpy(xyz, [0, 0, self._rng.uniform(-1, 1) * task.socket.range_yaw_rad])
        self.grasp = theta[None, GRASP]
        self.tool = tool_pose(self.socket, theta[None], task.plug.tool_from_plug)
        self.now_s = 100.0

    @property
    def plug(self) -> Poses:
        """True plug pose, base frame, batch of one."""
        return self.tool @ self.task.plug.tool_from_plug_at(self.grasp)

    def inputs(self) -> Inputs:
        """What the policy would be given now."""
        jitter = self._rng.uniform(-1, 1, 3) * self.task.noise.estimate_jitter_m
        return Inputs(
            measured=sample(self.tool, self.now_s - 0.001),
            estimate=sample(
                Poses(pos_m=self.socket.pos_m + jitter, quat_xyzw=self.socket.quat_xyzw), self.now_s - 0.01
            ),
            wrench=WrenchSample(wrench=(0.0,) * 6, stamp_s=self.now_s - 0.001),
            now_s=self.now_s,
        )

    def follow(self, pose: Pose, share: float = 0.6) -> None:
        """Move towards a target for one policy period."""
        target = pose.batch()
        turn = (target.rotation * self.tool.rotation.inv()).as_rotvec()
        self.tool = Poses(
            pos_m=self.tool.pos_m + share * (target.pos_m - self.tool.pos_m),
            quat_xyzw=np.atleast_2d((Rotation.from_rotvec(share * turn) * self.tool.rotation).as_quat()),
        )
        self.now_s += 1.0 / self.task.control.policy_rate_hz


def aged(inputs: Inputs, **ages_s: float) -> Inputs:
    """Return the inputs with some samples (measured, estimate, wrench) of the given age."""
    return changed(
        inputs, **{name: changed(getattr(inputs, name), stamp_s=inputs.now_s - age) for name, age in ages_s.items()}
    )


def run_episode(runtime: PolicyRuntime, cell: LaggingCell) -> list[TickResult]:
    """Run one whole episode."""
    assert runtime.start(cell.inputs(), cell.grasp).level is Level.OK
    results: list[TickResult] = []
    while not results or not results[-1].done:
        results.append(runtime.tick(cell.inputs()))
        cell.follow(results[-1].target)
    return results
