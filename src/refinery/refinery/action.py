"""Action decoding, shared by training, twin and node: leaky integration on the last target (leaky PLAI, IndustReal).

The action moves the impedance controller's *target*, not the arm, so that a standing error builds up force and
overcomes stiction; the leak keeps the target within ``max_error`` of the measured pose, which bounds the commanded
force by construction (:mod:`refinery.force_bound`).

As with the observation there are two classes: :class:`ActionDecoder` for batches, :class:`OneActionDecoder` for the
tick on the robot; the tests hold one against the other.
"""

from __future__ import annotations

from operator import mul

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from refinery.force_bound import spring_limits
from refinery.rotations import OnePose, Poses, clipped, conjugate, multiply, quat_of, rotvec_of, turned, turned_back
from refinery.task import ControlSpec

Array = NDArray[np.float64]
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


class OneActionDecoder:
    """:class:`ActionDecoder` for a batch of one, in plain floats: equal to rounding, a hundred times as fast.

    Args:
        control: Scales and limits.
        measured: Measured tool pose to start from, base frame, batch of one.
    """

    def __init__(self, control: ControlSpec, measured: Poses) -> None:
        self._scale = control.action_scale
        self._max_stretch, self._max_twist = spring_limits(control)
        self._smoothing = control.action_smoothing
        self.smoothed = [0.0] * 6
        """The exponentially averaged action, six values."""
        self.target = OnePose.of(measured)
        """The target of the tool in the base frame."""

    def decode(self, action: list[float], measured: OnePose, socket: OnePose) -> OnePose:
        """Advance the target by one policy step; arguments as for :meth:`ActionDecoder.decode`, the action six floats.

        Returns:
            The new target of the tool in the base frame (also kept in :attr:`target`).
        """
        share, rest = self._smoothing, 1.0 - self._smoothing
        self.smoothed = smoothed = [
            share * (1.0 if new > 1.0 else -1.0 if new < -1.0 else new) + rest * old
            for new, old in zip(action, self.smoothed, strict=True)
        ]
        sx, sy, sz, sa, sb, sc = map(mul, smoothed, self._scale)
        axes, now = socket.matrix, measured.xyzw
        mx, my, mz = measured.xyz_m
        tx, ty, tz = self.target.xyz_m
        cx, cy, cz = turned_back(axes, tx - mx, ty - my, tz - mz)
        px, py, pz = turned(axes, clipped((cx + sx, cy + sy, cz + sz), self._max_stretch))
        aimed = multiply(quat_of(turned(axes, (sa, sb, sc))), self.target.xyzw)
        error = turned_back(axes, *rotvec_of(multiply(aimed, conjugate(now))))
        quat = multiply(quat_of(turned(axes, clipped(error, self._max_twist))), now)
        self.target = OnePose((mx + px, my + py, mz + pz), quat)
        return self.target
