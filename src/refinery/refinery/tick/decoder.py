"""The tick's action decoder, in plain floats."""

from __future__ import annotations

from refinery.force_bound import spring_limits
from refinery.task import ControlSpec
from refinery.tick.pose import Pose, clipped, conjugate, multiply, quat_of, rotvec_of, turned, turned_back

Action = tuple[float, float, float, float, float, float]
"""An action, in the order of :data:`refinery.action.ACTION_NAMES`."""


class OneActionDecoder:
    """:class:`refinery.action.ActionDecoder` for one pose: equal to rounding, a hundred times as fast.

    Args:
        control: Scales and limits.
        measured: Measured tool pose to start from, base frame.
    """

    def __init__(self, control: ControlSpec, measured: Pose) -> None:
        self._scale: Action = control.action_scale
        self._max_stretch, self._max_twist = spring_limits(control)
        self._smoothing = control.action_smoothing
        self.smoothed: Action = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        """The exponentially averaged action."""
        self.target = measured
        """The target of the tool in the base frame."""

    def reset(self, measured: Pose) -> None:
        """Start from the measured tool pose (base frame) with no action."""
        self.smoothed = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        self.target = measured

    def decode(self, action: Action, measured: Pose, socket: Pose) -> Pose:
        """Advance the target by one policy step; arguments as for :meth:`refinery.action.ActionDecoder.decode`.

        Returns:
            The new target of the tool in the base frame (also kept in :attr:`target`).
        """
        self._smooth(action)
        sx, sy, sz, sa, sb, sc = self.smoothed
        kx, ky, kz, ka, kb, kc = self._scale
        axes, now = socket.matrix(), measured.xyzw
        mx, my, mz = measured.xyz_m
        tx, ty, tz = self.target.xyz_m
        cx, cy, cz = turned_back(axes, (tx - mx, ty - my, tz - mz))
        px, py, pz = turned(axes, clipped((cx + sx * kx, cy + sy * ky, cz + sz * kz), self._max_stretch))
        aimed = multiply(quat_of(turned(axes, (sa * ka, sb * kb, sc * kc))), self.target.xyzw)
        error = turned_back(axes, rotvec_of(multiply(aimed, conjugate(now))))
        quat = multiply(quat_of(turned(axes, clipped(error, self._max_twist))), now)
        self.target = Pose((mx + px, my + py, mz + pz), quat)
        return self.target

    def _smooth(self, action: Action) -> None:
        """Clip an action to [-1, 1] and average it with those before; NaN stays."""
        share, rest = self._smoothing, 1.0 - self._smoothing
        a, b, c, d, e, f = action
        u, v, w, x, y, z = self.smoothed
        self.smoothed = (
            share * (1.0 if a > 1.0 else -1.0 if a < -1.0 else a) + rest * u,
            share * (1.0 if b > 1.0 else -1.0 if b < -1.0 else b) + rest * v,
            share * (1.0 if c > 1.0 else -1.0 if c < -1.0 else c) + rest * w,
            share * (1.0 if d > 1.0 else -1.0 if d < -1.0 else d) + rest * x,
            share * (1.0 if e > 1.0 else -1.0 if e < -1.0 else e) + rest * y,
            share * (1.0 if f > 1.0 else -1.0 if f < -1.0 else f) + rest * z,
        )
