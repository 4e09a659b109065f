"""Reading ``/tf`` and ``/tf_static``, and bringing poses of other frames into the base frame of the arm."""

from __future__ import annotations

from collections.abc import Callable

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from tf2_msgs.msg import TFMessage

from refinery.rotations import Poses
from refinery_sampler_node.conversions import numbers_of_pose
from refinery_sampler_node.requests import RequestError, checked_numbers
from refinery_sampler_node.transform_tree import TransformError, TransformTree

_DEPTH = 100


class Transforms:
    """Listens to the transforms of a cell.

    Args:
        node: Gets the subscriptions; its clock tells how old a transform is.
        base_frame: Frame of the arm's base.
        max_age_s: Older transforms are refused, static ones never, [s].
    """

    def __init__(self, node: Node, *, base_frame: str, max_age_s: float) -> None:
        self._node, self._base_frame = node, base_frame
        self._tree = TransformTree(max_age_s=max_age_s)
        static = QoSProfile(depth=_DEPTH, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf", self._store(static=False), QoSProfile(depth=_DEPTH)),
            node.create_subscription(TFMessage, "/tf_static", self._store(static=True), static),
        ]

    def destroy(self) -> None:
        """End the subscriptions."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)

    def _store(self, *, static: bool) -> Callable[[TFMessage], None]:
        def store(message: TFMessage) -> None:
            for item in message.transforms:
                t, q, stamp = item.transform.translation, item.transform.rotation, item.header.stamp
                self._tree.put(
                    item.header.frame_id,
                    item.child_frame_id,
                    (t.x, t.y, t.z),
                    (q.x, q.y, q.z, q.w),
                    stamp_s=stamp.sec + 1e-9 * stamp.nanosec,
                    static=static,
                )

        return store

    def of_frame(self, frame: str, *, what: str) -> Poses:
        """Return the pose of a frame in the base frame, batch of one.

        Raises:
            RequestError: There is none, naming ``what`` and why.
        """
        try:
            return self._tree.lookup(self._base_frame, frame, self._node.get_clock().now().nanoseconds * 1e-9)
        except TransformError as error:
            raise RequestError(
                "BAD_SOCKET_POSE",
                f"{what}: header.frame_id: expected {self._base_frame!r} (the arm's base) or a frame that is connected "
                f"with it, got {frame!r}: {error}",
            ) from None

    def in_base(self, message: PoseStamped, *, what: str) -> Poses:
        """Check a stamped pose and return it in the base frame, batch of one.

        Raises:
            RequestError: It is no pose, or its frame is none that can be used; naming ``what``.
        """
        pose = checked_numbers(*numbers_of_pose(message.pose), what=what)
        frame = message.header.frame_id
        if not frame:
            raise RequestError(
                "BAD_SOCKET_POSE", f"{what}: header.frame_id: expected {self._base_frame!r} or another frame, got none"
            )
        return self.of_frame(frame, what=what) @ pose
