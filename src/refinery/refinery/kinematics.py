"""Forward and inverse kinematics of a serial arm from its DH table, batched over poses.

Small and ours on purpose: the environment resets hundreds of arms at once and the nodes need no robot model files.
Checked against the MuJoCo model of the arm in the tests. The tables are data of the robot profile.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from refinery.rotations import Array, Poses, rotvec_between_rad

POSTURE_GAIN = 0.5
"""Share of the distance to the seed that the free motion of the elbow makes up per iteration."""
POSTURE_ITERATIONS = 8
"""Iterations with that pull; without it, the last ones converge onto the goal exactly."""


class ArmKinematics:
    """Kinematics of a serial arm in modified DH parameters (Craig).

    Args:
        a_m: Link lengths a of the joints from the base on, N of them, [m].
        d_m: Link offsets d, [m].
        alpha_rad: Link twists alpha, [rad].
        link7_from_tool: Tool pose in the frame of the last joint (7 of a Franka), flange offset included (not from the
            flange), batch of one.
        low_rad: Lower joint limits, [rad].
        high_rad: Upper joint limits, [rad].
    """

    def __init__(
        self,
        *,
        a_m: ArrayLike,
        d_m: ArrayLike,
        alpha_rad: ArrayLike,
        link7_from_tool: Poses,
        low_rad: ArrayLike,
        high_rad: ArrayLike,
    ) -> None:
        self._a = np.asarray(a_m, dtype=np.float64)
        self._d = np.asarray(d_m, dtype=np.float64)
        self._ca = np.cos(np.asarray(alpha_rad, dtype=np.float64))
        self._sa = np.sin(np.asarray(alpha_rad, dtype=np.float64))
        self._link7_from_tool = np.eye(4)
        self._link7_from_tool[:3, :3] = link7_from_tool.rotation.as_matrix()[0]
        self._link7_from_tool[:3, 3] = link7_from_tool.pos_m[0]
        self.low_rad = np.asarray(low_rad, dtype=np.float64)
        self.high_rad = np.asarray(high_rad, dtype=np.float64)

    def _frames(self, joints_rad: Array) -> tuple[Array, Array]:
        """Return the joint frames (B, N, 4, 4) and the tool frame (B, 4, 4) in the base frame."""
        count = len(joints_rad)
        c, s = np.cos(joints_rad), np.sin(joints_rad)
        frames = np.empty((count, len(self._a), 4, 4))
        pose = np.tile(np.eye(4), (count, 1, 1))
        link = np.zeros((count, 4, 4))
        link[:, 3, 3] = 1.0
        for i in range(len(self._a)):
            ca, sa = self._ca[i], self._sa[i]
            link[:, 0, 0], link[:, 0, 1], link[:, 0, 3] = c[:, i], -s[:, i], self._a[i]
            link[:, 1, 0], link[:, 1, 1] = s[:, i] * ca, c[:, i] * ca
            link[:, 1, 2], link[:, 1, 3] = -sa, -sa * self._d[i]
            link[:, 2, 0], link[:, 2, 1] = s[:, i] * sa, c[:, i] * sa
            link[:, 2, 2], link[:, 2, 3] = ca, ca * self._d[i]
            pose = pose @ link
            frames[:, i] = pose
        return frames, pose @ self._link7_from_tool

    def forward(self, joints_rad: ArrayLike) -> Poses:
        """Tool poses in the base frame for joints of shape (B, N) or (N,), [rad]."""
        return _poses(self._frames(np.atleast_2d(np.asarray(joints_rad, dtype=np.float64)))[1])

    def jacobian(self, joints_rad: ArrayLike) -> Array:
        """Geometric Jacobian of the tool in the base frame, shape (B, 6, N): linear [m/rad] over angular [rad/rad]."""
        return _jacobian(*self._frames(np.atleast_2d(np.asarray(joints_rad, dtype=np.float64))))

    def inverse(
        self,
        goal: Poses,
        seed_rad: ArrayLike,
        *,
        iterations: int = 200,
        position_tolerance_m: float = 1e-6,
        rotation_tolerance_rad: float = 1e-5,
        damping: float = 1e-3,
    ) -> tuple[Array, NDArray[np.bool_]]:
        """Joint angles that put the tool at ``goal``, by damped least squares from a seed, pulled softly towards it.

        Args:
            goal: Tool poses in the base frame, batch B.
            seed_rad: Where to start, (N,) or (B, N), [rad].
            iterations: At most this many steps.
            position_tolerance_m: Accepted distance, [m].
            rotation_tolerance_rad: Accepted angle, [rad].
            damping: Of the least squares.

        Returns:
            Joints (B, N) [rad], inside the limits, and which rows reached their goal, (B,).
        """
        seed = np.array(np.broadcast_to(np.asarray(seed_rad, dtype=np.float64), (len(goal), len(self._a))))
        joints = seed.copy()
        eye = damping**2 * np.eye(6)
        reached = np.zeros(len(goal), dtype=bool)
        for iteration in range(iterations + 1):
            frames, tool = self._frames(joints)
            now = _poses(tool)
            error = np.hstack([goal.pos_m - now.pos_m, rotvec_between_rad(now.quat_xyzw, goal.quat_xyzw)])
            reached = (np.linalg.norm(error[:, :3], axis=1) < position_tolerance_m) & (
                np.linalg.norm(error[:, 3:], axis=1) < rotation_tolerance_rad
            )
            if iteration >= POSTURE_ITERATIONS and reached.all():
                break
            # While the elbow is pulled all rows take part, else those that arrive early keep an elbow of their own.
            active = np.flatnonzero(~reached | (iteration < POSTURE_ITERATIONS))
            jac = _jacobian(frames[active], tool[active])
            # Task-space step plus a pull of the free elbow towards the seed, so that neighbouring goals get
            # neighbouring joints: (J+) (e - J p) + p with p the pull.
            gain = POSTURE_GAIN if iteration < POSTURE_ITERATIONS else 0.0
            pull = gain * (seed[active] - joints[active])
            wanted = error[active] - (jac @ pull[..., None])[..., 0]
            step = np.linalg.solve(jac @ jac.transpose(0, 2, 1) + eye, wanted[..., None])
            delta = (jac.transpose(0, 2, 1) @ step)[..., 0] + pull
            delta *= np.minimum(1.0, 0.5 / np.maximum(np.abs(delta).max(axis=1, keepdims=True), 1e-9))
            joints[active] = np.clip(joints[active] + delta, self.low_rad, self.high_rad)
        return joints, reached


def _poses(frames: Array) -> Poses:
    """Poses of frames (B, 4, 4)."""
    return Poses(
        pos_m=frames[:, :3, 3].copy(), quat_xyzw=np.atleast_2d(Rotation.from_matrix(frames[:, :3, :3]).as_quat())
    )


def _jacobian(frames: Array, tool: Array) -> Array:
    """Jacobian (B, 6, N) from the joint frames (B, N, 4, 4) and the tool frame (B, 4, 4)."""
    axes = frames[:, :, :3, 2]
    arms = tool[:, None, :3, 3] - frames[:, :, :3, 3]
    return np.concatenate([np.cross(axes, arms).transpose(0, 2, 1), axes.transpose(0, 2, 1)], axis=1)
