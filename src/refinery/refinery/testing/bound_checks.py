"""What every commanded target must keep."""

from __future__ import annotations

import numpy as np

from refinery.force_bound import commanded_force_bound
from refinery.rotations import Poses
from refinery.task import Task


def check_bounds(
    task: Task, target: Poses, measured: Poses, socket: Poses, tool_from_plug: Poses | None = None
) -> None:
    """Assert the three hard bounds and the force that follows from them."""
    axes = socket.rotation
    assert np.all(np.isfinite(target.pos_m)) and np.all(np.isfinite(target.quat_xyzw))
    np.testing.assert_allclose(np.linalg.norm(target.quat_xyzw), 1.0, atol=1e-6)
    stretch = axes.apply(target.pos_m - measured.pos_m, inverse=True)[0]
    twist = axes.apply((target.rotation * measured.rotation.inv()).as_rotvec(), inverse=True)[0]
    error = np.abs(np.concatenate([stretch, twist]))
    assert np.all(error <= np.asarray(task.control.max_error) + 1e-8)
    assert np.all(error * task.control.stiffness <= np.asarray(commanded_force_bound(task.control)) + 1e-5)
    plug = socket.inverse() @ (target @ (task.plug.tool_from_plug if tool_from_plug is None else tool_from_plug))
    assert np.all(plug.pos_m[0] >= np.asarray(task.limits.workspace_low_m) - 1e-6)
    assert np.all(plug.pos_m[0] <= np.asarray(task.limits.workspace_high_m) + 1e-6)
    assert plug.rotation.magnitude()[0] <= task.limits.max_tilt_rad + 1e-6
