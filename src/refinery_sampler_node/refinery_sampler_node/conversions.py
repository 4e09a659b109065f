"""Between messages and plain numbers."""

from __future__ import annotations

from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Pose, PoseStamped, Quaternion

from refinery.rotations import Poses, Quat, Vec3
from refinery_sampler_node.requests import checked_pose


def pose_to_message(poses: Poses, index: int = 0) -> Pose:
    """Turn one pose of a batch into a message."""
    x, y, z = (float(v) for v in poses.pos_m[index])
    qx, qy, qz, qw = (float(v) for v in poses.quat_xyzw[index])
    return Pose(position=Point(x=x, y=y, z=z), orientation=Quaternion(x=qx, y=qy, z=qz, w=qw))


def pose_to_stamped(poses: Poses, frame: str, stamp: Time, index: int = 0) -> PoseStamped:
    """Turn one pose of a batch into a stamped message in ``frame``."""
    message = PoseStamped(pose=pose_to_message(poses, index))
    message.header.frame_id, message.header.stamp = frame, stamp
    return message


def pose_from_message(message: PoseStamped, *, base_frame: str, what: str) -> Poses:
    """Check a stamped pose and return it, batch of one; raises RequestError naming ``what``."""
    pos_m, quat_xyzw = numbers_of_pose(message.pose)
    return checked_pose(message.header.frame_id, pos_m, quat_xyzw, base_frame=base_frame, what=what)


def numbers_of_pose(message: Pose) -> tuple[Vec3, Quat]:
    """Return position [m] and quaternion xyzw of a message, unchecked."""
    p, q = message.position, message.orientation
    return (p.x, p.y, p.z), (q.x, q.y, q.z, q.w)
