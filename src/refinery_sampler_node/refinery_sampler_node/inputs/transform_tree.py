"""The newest transforms of ``/tf`` and ``/tf_static``, and the pose of one frame in another; free of ROS.

Only the newest transforms count, nothing is interpolated in time. Transforms that are too old are refused: a camera on
a moving arm is no longer where it was a second ago.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from refinery.errors import RefineryError
from refinery.rotations import Poses

_UNIT_TOLERANCE = 1e-2
_IDENTITY = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.array([[0.0, 0.0, 0.0, 1.0]]))


class TransformError(RefineryError):
    """Two frames are not connected, or only by transforms that are too old; the message names them."""


@dataclass(frozen=True, kw_only=True)
class _Edge:
    parent: str
    pose: Poses
    stamp_s: float
    static: bool


class TransformTree:
    """Keeps the newest transform of every frame in its parent.

    Args:
        max_age_s: Transforms older than this, or stamped this far in the future, are refused unless static, [s].
    """

    def __init__(self, *, max_age_s: float) -> None:
        self._max_age_s = max_age_s
        self._edges: dict[str, _Edge] = {}
        self._bad: dict[str, str] = {}

    @property
    def frames(self) -> set[str]:
        """All frames received so far."""
        return set(self._edges) | {edge.parent for edge in self._edges.values()}

    def put(
        self, parent: str, child: str, pos_m: ArrayLike, quat_xyzw: ArrayLike, *, stamp_s: float, static: bool
    ) -> None:
        """Store a transform; an invalid one is remembered as such and never used.

        Args:
            parent: Parent frame.
            child: Child frame.
            pos_m: Origin of the child in the parent, shape (3,), [m].
            quat_xyzw: Orientation of the child in the parent, shape (4,), unit.
            stamp_s: Time by the ROS clock, [s].
            static: It never expires.
        """
        parent, child = parent.lstrip("/"), child.lstrip("/")
        pos, quat = np.asarray(pos_m, dtype=np.float64), np.asarray(quat_xyzw, dtype=np.float64)
        if not (np.isfinite(pos).all() and np.isfinite(quat).all()):
            self._bad[child] = f"its numbers are not finite: {pos.tolist()}, {quat.tolist()}"
        elif abs(float(np.linalg.norm(quat)) - 1.0) > _UNIT_TOLERANCE:
            self._bad[child] = f"its quaternion has the length {float(np.linalg.norm(quat)):.3f} instead of 1"
        elif not parent or not child or parent == child:
            self._bad[child] = f"its parent is {parent!r}"
        else:
            self._bad.pop(child, None)
            pose = Poses.single(pos, quat)
            self._edges[child] = _Edge(parent=parent, pose=pose, stamp_s=stamp_s, static=static)
            return
        self._edges.pop(child, None)

    def lookup(self, target: str, source: str, now_s: float) -> Poses:
        """Return the pose of one frame in another.

        Args:
            target: Frame in which the pose is expressed.
            source: Frame whose pose it is.
            now_s: Time of the ROS clock, [s].

        Returns:
            ``target <- source``, batch of one.

        Raises:
            TransformError: A frame is unknown, they are not connected, or a transform between them is too old.
        """
        target, source = target.lstrip("/"), source.lstrip("/")
        if target == source:
            return _IDENTITY
        self._check_known(source, target)
        up, down = self._ancestors(source), self._ancestors(target)
        common = next((frame for frame in up if frame in down), None)
        if common is None:
            raise TransformError(
                f"{source!r} and {target!r} are not connected: the root of one is {up[-1]!r}, of the other "
                f"{down[-1]!r}; publish a transform between the two, for example by a static_transform_publisher"
            )
        return self._pose_in(common, target, down, now_s).inverse() @ self._pose_in(common, source, up, now_s)

    def _pose_in(self, ancestor: str, frame: str, chain: list[str], now_s: float) -> Poses:
        """Return ``ancestor <- frame``; the chain leads from the frame up to the ancestor and beyond."""
        pose = _IDENTITY
        for child in chain[: chain.index(ancestor)]:
            edge = self._edges[child]
            self._check_age(child, edge, now_s)
            pose = edge.pose @ pose
        return pose

    def _check_age(self, child: str, edge: _Edge, now_s: float) -> None:
        age = now_s - edge.stamp_s
        if edge.static or abs(age) <= self._max_age_s:
            return
        where = f"the transform of {child!r} in {edge.parent!r}"
        if age > 0:
            raise TransformError(
                f"{where} is {age:.2f} s old (limit {self._max_age_s} s); is its publisher still running? A frame "
                "that does not move belongs on /tf_static"
            )
        raise TransformError(
            f"{where} is stamped {-age:.2f} s in the future (limit {self._max_age_s} s); do all machines and nodes use "
            "the same clock (use_sim_time)?"
        )

    def _check_known(self, *frames: str) -> None:
        known = self.frames
        for frame in frames:
            if frame in self._bad:
                raise TransformError(f"the transform of {frame!r} cannot be used: {self._bad[frame]}")
            if frame in known:
                continue
            close = difflib.get_close_matches(frame, sorted(known), n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known)) or 'none'}"
            raise TransformError(f"no transform of the frame {frame!r} was received on /tf or /tf_static; {hint}")

    def _ancestors(self, frame: str) -> list[str]:
        """Return a frame and all above it, the root last."""
        chain = [frame]
        while chain[-1] in self._edges:
            parent = self._edges[chain[-1]].parent
            if parent in chain:
                raise TransformError(f"the transforms of {', '.join(map(repr, chain))} form a cycle")
            chain.append(parent)
        return chain
