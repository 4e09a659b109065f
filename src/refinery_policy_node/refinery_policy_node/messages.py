"""Conversions between messages and what a policy tick uses."""

from __future__ import annotations

from geometry_msgs.msg import PoseStamped, Vector3, Wrench, WrenchStamped

from refinery.tick.diagnosis import Diagnosis
from refinery.tick.guard import GuardDecision
from refinery.tick.pose import Pose
from refinery.tick.samples import PoseSample, WrenchSample
from refinery_msgs.msg import Diagnosis as DiagnosisMessage
from refinery_msgs.msg import GuardReason
from refinery_ros.conversions import seconds


def pose_sample(message: PoseStamped) -> PoseSample:
    """Read a pose as it is, unchecked."""
    position, orientation = message.pose.position, message.pose.orientation
    return PoseSample(
        pos_m=(position.x, position.y, position.z),
        quat_xyzw=(orientation.x, orientation.y, orientation.z, orientation.w),
        stamp_s=seconds(message.header.stamp),
    )


def wrench_sample(message: WrenchStamped) -> WrenchSample:
    """Read a wrench as it is, unchecked."""
    force, torque = message.wrench.force, message.wrench.torque
    return WrenchSample(
        wrench=(force.x, force.y, force.z, torque.x, torque.y, torque.z),
        stamp_s=seconds(message.header.stamp),
    )


class TargetMessage:
    """The one message that carries every target: making a new one takes longer than filling it.

    Args:
        frame: The base frame.
    """

    def __init__(self, frame: str) -> None:
        self._message = PoseStamped()
        self._message.header.frame_id = frame
        self._stamp = self._message.header.stamp
        self._position, self._orientation = self._message.pose.position, self._message.pose.orientation

    def filled(self, target: Pose, now_ns: int) -> PoseStamped:
        """Return the message with a pose of the tool in the base frame and a stamp [ns].

        It is to be published before the next call, which fills the same message again.
        """
        stamp, position, orientation = self._stamp, self._position, self._orientation
        stamp.sec, stamp.nanosec = divmod(now_ns, 1_000_000_000)
        position.x, position.y, position.z = target.xyz_m
        orientation.x, orientation.y, orientation.z, orientation.w = target.xyzw
        return self._message


def reason_message(decision: GuardDecision) -> GuardReason:
    """Write the reason of a decision."""
    return GuardReason(value=int(decision.reason), message=decision.message)


def diagnosis_message(found: Diagnosis) -> DiagnosisMessage:
    """Write a diagnosis."""
    fx, fy, fz, tx, ty, tz = found.wrench
    return DiagnosisMessage(
        place=int(found.place),
        x_m=found.x_m,
        y_m=found.y_m,
        tilt_rad=found.tilt_rad,
        turn_rad=found.turn_rad,
        wrench=Wrench(force=Vector3(x=fx, y=fy, z=fz), torque=Vector3(x=tx, y=ty, z=tz)),
        outside_trained=list(found.outside_trained),
        message=found.message,
    )
