"""What one tick knows about the world: the latest message of each topic, as numbers with a stamp.

Plain classes of floats, not dataclasses: four of them are made for every tick.
"""

from __future__ import annotations

import math
from enum import IntEnum

from refinery.tick.pose import Pose, finite, unit


class PoseSample:
    """A stamped pose in the base frame, as received: it may hold anything until the guard has looked at it.

    Args:
        pos_m: Position, three numbers, [m].
        quat_xyzw: Orientation, four numbers.
        stamp_s: Time of measurement in the node's clock, [s].
    """

    __slots__ = ("_pose", "pos_m", "quat_xyzw", "stamp_s")

    def __init__(self, *, pos_m: tuple[float, ...], quat_xyzw: tuple[float, ...], stamp_s: float) -> None:
        self.pos_m = pos_m
        self.quat_xyzw = quat_xyzw
        self.stamp_s = stamp_s
        self._pose: Pose | None = None

    def is_pose(self, tolerance: float) -> bool:
        """Tell whether it is a pose at all: lengths, finite numbers, and a quaternion of norm 1 within a tolerance."""
        pos, quat = self.pos_m, self.quat_xyzw
        if len(pos) != 3 or len(quat) != 4:
            return False
        x, y, z = pos
        qx, qy, qz, qw = quat
        norm = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
        return finite(x + y + z) and abs(norm - 1.0) <= tolerance

    def pose(self) -> Pose:
        """Return the pose, its quaternion normalised; only for samples the guard has accepted."""
        # Guard, encoder and decoder all ask, and what they compute from it once (its matrix) they then share.
        pose = self._pose
        if pose is None:
            x, y, z = self.pos_m
            qx, qy, qz, qw = self.quat_xyzw
            pose = self._pose = Pose((x, y, z), unit((qx, qy, qz, qw)))
        return pose

    def __repr__(self) -> str:
        return f"PoseSample(pos_m={self.pos_m}, quat_xyzw={self.quat_xyzw}, stamp_s={self.stamp_s})"


class WrenchSample:
    """A stamped external wrench in the base frame.

    Args:
        wrench: Force x, y, z [N] and torque x, y, z [Nm], six numbers.
        stamp_s: Time of measurement in the node's clock, [s].
    """

    __slots__ = ("stamp_s", "wrench")

    def __init__(self, *, wrench: tuple[float, ...], stamp_s: float) -> None:
        self.wrench = wrench
        self.stamp_s = stamp_s

    def __repr__(self) -> str:
        return f"WrenchSample(wrench={self.wrench}, stamp_s={self.stamp_s})"


class RobotMode(IntEnum):
    """What the robot says it is doing; the numbers are those of franka_msgs/FrankaRobotState."""

    OTHER = 0
    IDLE = 1
    MOVE = 2
    GUIDING = 3
    REFLEX = 4
    USER_STOPPED = 5
    AUTOMATIC_ERROR_RECOVERY = 6


class RobotSample:
    """The robot's own stamped opinion of itself.

    Args:
        mode: A value of :class:`RobotMode`, as received: it may be any number.
        errors: Names of the errors that are set.
        stamp_s: Time of measurement in the node's clock, [s].
    """

    __slots__ = ("errors", "mode", "stamp_s")

    def __init__(self, *, mode: int, errors: tuple[str, ...], stamp_s: float) -> None:
        self.mode = mode
        self.errors = errors
        self.stamp_s = stamp_s

    def __repr__(self) -> str:
        return f"RobotSample(mode={self.mode}, errors={self.errors}, stamp_s={self.stamp_s})"


class Inputs:
    """Everything a tick reads.

    Args:
        measured: Tool pose from the robot.
        estimate: Socket pose from perception.
        wrench: External wrench from the robot.
        robot: The robot's own state; None where the robot publishes none.
        now_s: The node's clock at the tick, [s].
        wrong_frame: Which message is not in the base frame, in one sentence; empty if all are.
    """

    __slots__ = ("estimate", "measured", "now_s", "robot", "wrench", "wrong_frame")

    def __init__(
        self,
        *,
        measured: PoseSample,
        estimate: PoseSample,
        wrench: WrenchSample,
        robot: RobotSample | None = None,
        now_s: float,
        wrong_frame: str = "",
    ) -> None:
        self.measured = measured
        self.estimate = estimate
        self.wrench = wrench
        self.robot = robot
        self.now_s = now_s
        self.wrong_frame = wrong_frame

    def with_estimate(self, estimate: PoseSample) -> Inputs:
        """Return the same inputs with another socket estimate."""
        if estimate is self.estimate:
            return self
        return Inputs(
            measured=self.measured,
            estimate=estimate,
            wrench=self.wrench,
            robot=self.robot,
            now_s=self.now_s,
            wrong_frame=self.wrong_frame,
        )

    def __repr__(self) -> str:
        return (
            f"Inputs(measured={self.measured}, estimate={self.estimate}, wrench={self.wrench}, robot={self.robot}, "
            f"now_s={self.now_s}, wrong_frame={self.wrong_frame!r})"
        )
