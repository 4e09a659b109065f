"""The newest measurements of the arm: joints and tool pose, each with the time since it arrived."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from refinery.errors import NotReadyError
from refinery.rotations import Array, Poses
from refinery_ros import qos
from refinery_ros.polled_subscription import PolledSubscription
from refinery_sampler_node.inputs.checked_pose import checked_pose_message

_SOURCE = "robot (or the twin)"


class ArmState:
    """Reads joints and tool pose.

    Args:
        node: Gets the subscriptions.
        joint_names: Names of the joints, in order.
        base_frame: Frame the tool pose must be in.
        joints_topic: sensor_msgs/JointState.
        pose_topic: geometry_msgs/PoseStamped of the tool.
        max_age_s: Measurements that arrived longer ago are not used, [s].
    """

    def __init__(
        self,
        node: Node,
        *,
        joint_names: tuple[str, ...],
        base_frame: str,
        joints_topic: str,
        pose_topic: str,
        max_age_s: float,
    ) -> None:
        self._names = joint_names
        self._base_frame = base_frame
        self._max_age_s = max_age_s
        self._joints = PolledSubscription(node, joints_topic, JointState, qos.SENSOR, _SOURCE)
        self._pose = PolledSubscription(node, pose_topic, PoseStamped, qos.SENSOR, _SOURCE)

    def destroy(self) -> None:
        """End the subscriptions."""
        self._joints.destroy()
        self._pose.destroy()

    @property
    def count(self) -> int:
        """Joint states so far; distinguishes a new one from one that was read before."""
        self._joints.poll()
        return self._joints.received

    @property
    def age_s(self) -> float:
        """Time since the newest joint state arrived, [s]."""
        return self._joints.age_s

    def joints(self, max_age_s: float | None = None) -> tuple[Array, Array]:
        """Measured joints [rad] and velocities [rad/s], shape (7,) each, in the order of the names.

        Args:
            max_age_s: Oldest measurement accepted, [s]; None: as given to the constructor.

        Raises:
            NotReadyError: There is no fresh measurement with all joints in finite numbers.
        """
        message = self._joints.fresh(self._max_age_s if max_age_s is None else max_age_s)
        index = {name: i for i, name in enumerate(message.name)}
        missing = [name for name in self._names if name not in index]
        if missing:
            raise NotReadyError(
                f"{self._joints.name}: expected the joint {missing[0]}, got {', '.join(message.name) or 'no names'}; "
                "does the robot profile match this robot?"
            )
        order = [index[name] for name in self._names]
        if len(message.position) != len(message.name) or len(message.velocity) != len(message.name):
            raise NotReadyError(f"{self._joints.name}: expected a position and a velocity for every joint")
        joints, velocities = np.array(message.position)[order], np.array(message.velocity)[order]
        if not (np.isfinite(joints).all() and np.isfinite(velocities).all()):
            raise NotReadyError(f"{self._joints.name}: expected finite numbers, got {joints}, {velocities}")
        return joints, velocities

    def tool(self) -> Poses:
        """Measured tool pose in the base frame, batch of one.

        Raises:
            NotReadyError: There is no fresh one.
            RequestError: It is in another frame or not a pose.
        """
        message = self._pose.fresh(self._max_age_s)
        return checked_pose_message(message, base_frame=self._base_frame, what=self._pose.name)
