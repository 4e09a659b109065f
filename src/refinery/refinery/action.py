"""Action decoding, shared by training, twin and node: leaky integration on the last target (leaky PLAI, IndustReal).

The action moves the impedance controller's *target*, not the arm, so that a standing error builds up force and
overcomes stiction; the leak keeps the target within ``max_error`` of the measured pose, which bounds the commanded
force by construction (:mod:`refinery.force_bound`).

As with the observation there are two classes: :class:`ActionDecoder` for batches and
:class:`refinery.tick.decoder.OneActionDecoder` for the tick on the robot; the tests hold one against the other.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from refinery.force_bound import spring_limits
from refinery.rotations import Array, Poses
from refinery.task import ControlSpec

ACTION_NAMES = ("dx", "dy", "dz", "drx", "dry", "drz")
"""Order of the action, each in [-1, 1], along and about the axes of the estimated socket frame."""
SEMANTICS = "leaky target integration, estimated socket frame"
"""What the action does, in the metadata of policies: weights trained with another are not for this version."""


class ActionDecoder:
    """Turns a batch of actions into targets for the impedance controller.

    Args:
        control: Scales and limits.
        count: Batch size B.
    """

    def __init__(self, control: ControlSpec, count: int = 1) -> None:
        self._scale = np.asarray(control.action_scale)
        stretch, twist = spring_limits(control)
        self._max_stretch, self._max_twist = np.asarray(stretch), np.asarray(twist)
        self._smoothing = control.action_smoothing
        self.smoothed = np.zeros((count, 6))
        """The exponentially averaged action, shape (B, 6)."""
        self.target = Poses(pos_m=np.zeros((count, 3)), quat_xyzw=np.tile([0.0, 0.0, 0.0, 1.0], (count, 1)))
        """The target of the tool in the base frame."""

    def reset(self, measured: Poses, index: NDArray[np.intp] | slice = slice(None)) -> None:
        """Start from the measured tool pose (base frame) with no action, for the rows ``index``."""
        self.smoothed[index] = 0.0
        self.target.pos_m[index] = measured.pos_m
        self.target.quat_xyzw[index] = measured.quat_xyzw

    def state(self) -> dict[str, Array]:
        """The live arrays that the next step depends on, for snapshots of an environment."""
        return {"smoothed": self.smoothed, "pos_m": self.target.pos_m, "quat_xyzw": self.target.quat_xyzw}

    def decode(self, action: Array, measured: Poses, socket: Poses) -> Poses:
        """Advance the target by one policy step.

        Args:
            action: Policy output, shape (B, 6); clipped to [-1, 1].
            measured: Measured tool pose in the base frame.
            socket: Estimated socket pose in the base frame; its axes are the action's axes.

        Returns:
            The new target of the tool in the base frame (also kept in :attr:`target`).
        """
        clipped = np.clip(action, -1.0, 1.0)
        self.smoothed = self._smoothing * clipped + (1.0 - self._smoothing) * self.smoothed
        step = self.smoothed * self._scale
        axes = socket.rotation
        from_measured = axes.apply(self.target.pos_m - measured.pos_m, inverse=True) + step[:, :3]
        np.clip(from_measured, -self._max_stretch, self._max_stretch, out=from_measured)
        pos = measured.pos_m + axes.apply(from_measured)

        turned = Rotation.from_rotvec(axes.apply(step[:, 3:])) * self.target.rotation
        now = measured.rotation
        error = axes.apply((turned * now.inv()).as_rotvec(), inverse=True)
        np.clip(error, -self._max_twist, self._max_twist, out=error)
        quat = (Rotation.from_rotvec(axes.apply(error)) * now).as_quat()
        self.target = Poses(pos_m=np.atleast_2d(pos), quat_xyzw=np.atleast_2d(quat))
        return self.target
