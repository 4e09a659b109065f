"""The tick's observation encoder, in plain floats, straight into the array that the policy reads."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from refinery.observation import PLUG_FINE_M, PLUG_POS_M, PLUG_TURN_RAD, TOOL_STEP_M, TOOL_TURN_RAD
from refinery.rotations import Quat, Vec3
from refinery.task import Task
from refinery.tick.decoder import Action
from refinery.tick.pose import Pose, conjugate, multiply, rotvec_of, turned, turned_back, unit


class OneObservationEncoder:
    """:class:`refinery.observation.ObservationEncoder` for one pose: equal to rounding, a hundred times as fast.

    Args:
        task: Geometry of the grasp, rates and scales.
    """

    def __init__(self, task: Task) -> None:
        self._tool_from_plug = Pose.of(task.plug.tool_from_plug)
        self._steps = task.control.episode_steps
        self._max_error = task.control.max_error
        self._last = Pose((0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 1.0))
        self._sum: Vec3 = (0.0, 0.0, 0.0)
        self._socket_quat: Quat = (0.0, 0.0, 0.0, 0.0)
        self._seen = 0

    def reset(self, measured: Pose, tool_from_plug: Pose) -> None:
        """Forget the past.

        Args:
            measured: Measured tool pose, base frame.
            tool_from_plug: Plug pose in the tool frame from now on.
        """
        self._tool_from_plug = tool_from_plug
        self._last = measured
        self._sum, self._socket_quat, self._seen = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.0), 0

    def filter_socket(self, estimate: Pose) -> Pose:
        """Take in one socket estimate (base frame) and return the running mean of all so far."""
        ax, ay, az = self._sum
        x, y, z = estimate.xyz_m
        ax, ay, az = ax + x, ay + y, az + z
        self._sum = (ax, ay, az)
        self._seen += 1
        n = float(self._seen)
        given = estimate.xyzw
        qx, qy, qz, qw = given
        mx, my, mz, mw = self._socket_quat
        # A quaternion and its negative are one orientation: the mean is over those of one sign.
        if qx * mx + qy * my + qz * mz + qw * mw < 0.0:
            qx, qy, qz, qw = -qx, -qy, -qz, -qw
        mean = (mx + (qx - mx) / n, my + (qy - my) / n, mz + (qz - mz) / n, mw + (qw - mw) / n)
        self._socket_quat = mean
        # Estimates of one orientation, as in simulation, keep it to the last bit.
        return Pose((ax / n, ay / n, az / n), given if mean == given else unit(mean))

    def encode(self, measured: Pose, socket: Pose, target: Pose, last_action: Action, out: memoryview[float]) -> None:
        """Encode one policy step, as :meth:`refinery.observation.ObservationEncoder.encode` does.

        Args:
            measured: Measured tool pose, base frame.
            socket: Filtered socket estimate (from :meth:`filter_socket`), base frame.
            target: Present target of the tool, base frame.
            last_action: Smoothed action of the last step.
            out: Takes the observation: float32, :data:`refinery.observation.OBSERVATION_SIZE` values.
        """
        axes, plug_m = socket.matrix(), self._tool_from_plug.xyz_m
        sx, sy, sz = socket.xyz_m
        mx, my, mz = measured.xyz_m
        lx, ly, lz = self._last.xyz_m
        tx, ty, tz = target.xyz_m
        ex, ey, ez, ea, eb, ec = self._max_error
        hx, hy, hz = turned(measured.matrix(), plug_m)
        from_now = conjugate(measured.xyzw)
        x, y, z = turned_back(axes, (mx + hx - sx, my + hy - sy, mz + hz - sz))
        out[0], out[1], out[2] = x / PLUG_POS_M, y / PLUG_POS_M, z / PLUG_POS_M
        out[3], out[4], out[5] = math.tanh(x / PLUG_FINE_M), math.tanh(y / PLUG_FINE_M), math.tanh(z / PLUG_FINE_M)
        x, y, z = rotvec_of(multiply(conjugate(socket.xyzw), multiply(measured.xyzw, self._tool_from_plug.xyzw)))
        out[6], out[7], out[8] = x / PLUG_TURN_RAD, y / PLUG_TURN_RAD, z / PLUG_TURN_RAD
        x, y, z = turned_back(axes, (mx - lx, my - ly, mz - lz))
        out[9], out[10], out[11] = x / TOOL_STEP_M, y / TOOL_STEP_M, z / TOOL_STEP_M
        x, y, z = turned_back(axes, rotvec_of(multiply(measured.xyzw, conjugate(self._last.xyzw))))
        out[12], out[13], out[14] = x / TOOL_TURN_RAD, y / TOOL_TURN_RAD, z / TOOL_TURN_RAD
        x, y, z = turned_back(axes, (tx - mx, ty - my, tz - mz))
        out[15], out[16], out[17] = x / ex, y / ey, z / ez
        x, y, z = turned_back(axes, rotvec_of(multiply(target.xyzw, from_now)))
        out[18], out[19], out[20] = x / ea, y / eb, z / ec
        out[21], out[22], out[23], out[24], out[25], out[26] = last_action
        out[27] = 1.0 - (self._seen - 1) / self._steps
        self._last = measured


def floats_of(array: NDArray[np.float32]) -> memoryview[float]:
    """Return the numbers of a contiguous array, row after row, to read and write one by one.

    That is faster than through numpy, and a number too large for float32 becomes infinite, as in numpy.
    """
    return array.data.cast("B").cast("f")
