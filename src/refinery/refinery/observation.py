"""Observation encoding, shared by training, twin and node, so that simulation and robot cannot drift apart.

Only what a real cell measures goes in: tool pose, a noisy socket estimate, the controller's own target. The running
mean of the estimates stands in for a filter or a recurrent policy.

Two classes compute it: :class:`ObservationEncoder` for batches (training, evaluation, replay) and
:class:`refinery.tick.encoder.OneObservationEncoder` for the tick on the robot, which has no time for scipy's calls; the
tests hold one against the other. Both take their scales from here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from refinery.rotations import Array, Poses
from refinery.task import Task

PLUG_POS_M: Final = 0.01
"""Unit of the plug's position, [m]."""
PLUG_FINE_M: Final = 0.002
"""Unit of the plug's position near the seat, before the tanh, [m]."""
PLUG_TURN_RAD: Final = 0.1
"""Unit of the plug's rotation vector, [rad]."""
TOOL_STEP_M: Final = 0.001
"""Unit of the tool's motion in a policy step, [m]."""
TOOL_TURN_RAD: Final = 0.01
"""Unit of the tool's turn in a policy step, [rad]."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """One named slice of the observation."""

    name: str
    """Identifier, stored in the bundle."""
    size: int
    """Number of values."""
    unit: str
    """Unit of one unit of the value, e.g. ``10 mm``."""
    frame: str
    """Frame of the components."""


TERMS = (
    Term(name="plug_pos_coarse", size=3, unit=f"{1e3 * PLUG_POS_M:g} mm", frame="estimated socket"),
    Term(name="plug_pos_fine", size=3, unit=f"tanh of {1e3 * PLUG_FINE_M:g} mm", frame="estimated socket"),
    Term(name="plug_rotvec", size=3, unit=f"{PLUG_TURN_RAD:g} rad", frame="estimated socket"),
    Term(name="tool_step", size=3, unit=f"{1e3 * TOOL_STEP_M:g} mm per policy step", frame="estimated socket"),
    Term(name="tool_turn", size=3, unit=f"{TOOL_TURN_RAD:g} rad per policy step", frame="estimated socket"),
    Term(name="spring_stretch", size=3, unit="share of max_error", frame="estimated socket"),
    Term(name="spring_twist", size=3, unit="share of max_error", frame="estimated socket"),
    Term(name="last_action", size=6, unit="1", frame="estimated socket"),
    Term(name="time_left", size=1, unit="share of the episode", frame="none"),
)
"""The observation, in order."""
OBSERVATION_NAMES = tuple(f"{term.name}[{index}]" for term in TERMS for index in range(term.size))
"""A name for every number of an observation."""
OBSERVATION_SIZE = sum(term.size for term in TERMS)


class ObservationEncoder:
    """Turns measurements into observations; keeps the grasp, the mean socket estimate and the last tool pose.

    Args:
        task: Geometry of the grasp, rates and scales.
        count: Batch size B.
    """

    def __init__(self, task: Task, count: int = 1) -> None:
        self._task = task
        intended = task.plug.tool_from_plug
        self._tool_from_plug = Poses(
            pos_m=np.repeat(intended.pos_m, count, axis=0), quat_xyzw=np.repeat(intended.quat_xyzw, count, axis=0)
        )
        self._steps = task.control.episode_steps
        self._max_error = np.asarray(task.control.max_error)
        self._sum = np.zeros((count, 3))
        self._socket_quat = np.zeros((count, 4))
        self._seen = np.zeros(count, dtype=np.int64)
        self._last_pos = np.zeros((count, 3))
        self._last_quat = np.tile([0.0, 0.0, 0.0, 1.0], (count, 1))

    def reset(self, measured: Poses, index: NDArray[np.intp] | slice = slice(None), grasp: Array | None = None) -> None:
        """Forget the past of some rows.

        Args:
            measured: Their tool poses, base frame.
            index: The rows, k of them.
            grasp: How the plug sits in the hand from now on, shape (k, 3), order
                :data:`refinery.initial_state.GRASP_NAMES`, [m, m, rad]; None is as intended.
        """
        tool_from_plug = self._task.plug.tool_from_plug_at(np.zeros((1, 3)) if grasp is None else grasp)
        self._tool_from_plug.pos_m[index] = tool_from_plug.pos_m
        self._tool_from_plug.quat_xyzw[index] = tool_from_plug.quat_xyzw
        self._sum[index] = 0.0
        self._socket_quat[index] = 0.0
        self._seen[index] = 0
        self._last_pos[index] = measured.pos_m
        self._last_quat[index] = measured.quat_xyzw

    def state(self) -> dict[str, Array]:
        """The live arrays that the next step depends on, for snapshots of an environment."""
        return {
            "plug_pos_m": self._tool_from_plug.pos_m,
            "plug_quat_xyzw": self._tool_from_plug.quat_xyzw,
            "sum": self._sum,
            "socket_quat_xyzw": self._socket_quat,
            "seen": self._seen,
            "last_pos_m": self._last_pos,
            "last_quat_xyzw": self._last_quat,
        }

    def filter_socket(self, estimate: Poses) -> Poses:
        """Take in one socket estimate (base frame) and return the running mean of all so far."""
        self._sum += estimate.pos_m
        self._seen += 1
        # A quaternion and its negative are one orientation: the mean is over those of one sign.
        given, mean = estimate.quat_xyzw, self._socket_quat
        signs = np.where(np.sum(given * mean, axis=1, keepdims=True) < 0.0, -1.0, 1.0)
        mean += (signs * given - mean) / self._seen[:, None]
        # Estimates of one orientation, as in simulation, keep it to the last bit.
        same = np.all(mean == given, axis=1, keepdims=True)
        quat_xyzw = np.where(same, given, mean / np.linalg.norm(mean, axis=1, keepdims=True))
        return Poses(pos_m=self._sum / self._seen[:, None], quat_xyzw=quat_xyzw)

    def encode(self, measured: Poses, socket: Poses, target: Poses, last_action: Array) -> NDArray[np.float32]:
        """Encode one policy step.

        Args:
            measured: Measured tool pose, base frame.
            socket: Filtered socket estimate (from :meth:`filter_socket`), base frame.
            target: Present target of the tool, base frame.
            last_action: Smoothed action of the last step, shape (B, 6).

        Returns:
            Observations, shape (B, :data:`OBSERVATION_SIZE`), float32, terms in the order of :data:`TERMS`.
        """
        axes = socket.rotation
        now = measured.rotation
        plug = socket.inverse() @ (measured @ self._tool_from_plug)
        last = Poses(pos_m=self._last_pos, quat_xyzw=self._last_quat)
        step = axes.apply(measured.pos_m - last.pos_m, inverse=True)
        turn = axes.apply((now * last.rotation.inv()).as_rotvec(), inverse=True)
        stretch = axes.apply(target.pos_m - measured.pos_m, inverse=True)
        twist = axes.apply((target.rotation * now.inv()).as_rotvec(), inverse=True)
        self._last_pos, self._last_quat = measured.pos_m.copy(), measured.quat_xyzw.copy()
        time_left = 1.0 - (self._seen[:, None] - 1) / self._steps
        parts = (
            plug.pos_m / PLUG_POS_M,
            np.tanh(plug.pos_m / PLUG_FINE_M),
            plug.rotation.as_rotvec() / PLUG_TURN_RAD,
            step / TOOL_STEP_M,
            turn / TOOL_TURN_RAD,
            stretch / self._max_error[:3],
            twist / self._max_error[3:],
            last_action,
            time_left,
        )
        return np.concatenate([np.atleast_2d(part) for part in parts], axis=1).astype(np.float32)
