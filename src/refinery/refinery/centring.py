"""Feeling where the hole is: a seated plug is pushed gently to each side, up to the wall.

Where a seated plug comes to rest depends on where the policy believed the socket to be, so that its last position alone
says little about the socket. The middle between both walls does not depend on it. The way from wall to wall tells as
well whether the plug is in the hole: on the rim nothing stops it, and jammed it does not move.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.rotations import Array, Poses

PUSH_N = 1.8
"""Force against the wall, by the impedance's spring, [N]: under it the plug slides, tilts little and seats no less."""
PUSH_STEPS = 2
"""Policy periods of a push."""
_BACK_STEPS = 1
"""Policy periods at the starting pose between the axes."""
_LEAST, _MOST = 0.45, 1.15
"""Ways from wall to wall that are believed, as shares of twice the clearance."""


@dataclass(frozen=True, kw_only=True)
class HoleCentre:
    """What a probe found; batch of B."""

    centre_m: Array
    """Position of the plug midway between the walls, base frame, shape (B, 3), [m]; z as at the start."""
    width_m: Array
    """Way of the plug from wall to wall along the socket's x and y, shape (B, 2), [m]."""

    def inside(self, clearance_m: float) -> NDArray[np.bool_]:
        """Tell whether the ways are those of a plug in a hole with a clearance per side [m], shape (B,)."""
        share = self.width_m / (2 * clearance_m)
        return np.asarray(((share > _LEAST) & (share < _MOST)).all(axis=1))


class CentringProbe:
    """Targets of the tool that push the plug against the walls, one after the other; no more than a spring's stretch.

    Call :meth:`target` once a policy period and command what it returns, until it returns None; then read
    :meth:`centre`.

    Args:
        tool: Measured tool poses at the start, base frame, batch of B.
        socket: Socket estimates, base frame, batch of B: their x and y axes are those of the pushes.
        stiffness_n_m: Lateral stiffness of the impedance controller, [N/m].
        push_n: Force of a push, [N].
    """

    def __init__(self, tool: Poses, socket: Poses, *, stiffness_n_m: float, push_n: float = PUSH_N) -> None:
        check(stiffness_n_m > 0, "stiffness_n_m", "a positive stiffness [N/m]", stiffness_n_m)
        check(0 < push_n <= 10, "push_n", "a force in (0, 10] N", push_n)
        self._start = Poses(pos_m=tool.pos_m.copy(), quat_xyzw=tool.quat_xyzw.copy())
        self._axes = socket.rotation.as_matrix()[:, :, :2]
        self._stretch_m = push_n / stiffness_n_m
        pushes = [[(axis, sign)] * PUSH_STEPS for axis in (0, 1) for sign in (1, -1)]
        back: list[tuple[int, int]] = [(0, 0)] * _BACK_STEPS
        self._plan = [*pushes[0], *pushes[1], *back, *pushes[2], *pushes[3], *back]
        self._step = 0
        self._walls: dict[tuple[int, int], Array] = {}

    def target(self, plug: Poses) -> Poses | None:
        """Return the next target of the tool, base frame, or None when all is known.

        Args:
            plug: Measured plug poses now, base frame, batch of B.
        """
        if self._step > 0 and self._plan[self._step - 1][1]:
            axis, sign = self._plan[self._step - 1]
            # The last one of a push counts.
            self._walls[axis, sign] = np.einsum("bi,bi->b", plug.pos_m, self._axes[:, :, axis])
        if self._step == len(self._plan):
            return None
        axis, sign = self._plan[self._step]
        self._step += 1
        return Poses(
            pos_m=self._start.pos_m + sign * self._stretch_m * self._axes[:, :, axis],
            quat_xyzw=self._start.quat_xyzw,
        )

    def centre(self, plug: Poses) -> HoleCentre:
        """Return what was found, once :meth:`target` has returned None.

        Args:
            plug: Measured plug poses, base frame, batch of B: their height along the socket's axis is kept.
        """
        centre, width = plug.pos_m.copy(), np.zeros((len(plug.pos_m), 2))
        for axis in (0, 1):
            high, low = self._walls[axis, 1], self._walls[axis, -1]
            along = self._axes[:, :, axis]
            centre += ((high + low) / 2 - np.einsum("bi,bi->b", plug.pos_m, along))[:, None] * along
            width[:, axis] = high - low
        return HoleCentre(centre_m=centre, width_m=width)
