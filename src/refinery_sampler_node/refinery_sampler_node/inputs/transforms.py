"""Reads ``/tf`` and ``/tf_static`` and transforms poses of other frames into the base frame of the arm."""

from __future__ import annotations

from collections.abc import Callable

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from tf2_msgs.msg import TFMessage

from refinery.rotations import Poses
from refinery_ros import qos
from refinery_ros.conversions import clock_seconds, pose_numbers, seconds
from refinery_sampler_node.inputs.checked_pose import checked_numbers
from refinery_sampler_node.inputs.transform_tree import TransformError, TransformTree
from refinery_sampler_node.request_error import RequestError


class Transforms:
    """Receives the transforms of a cell.

    Args:
        node: Gets the subscriptions; its clock gives the age of a transform.
        base_frame: Frame of the arm's base.
        max_age_s: Older transforms are refused, static ones never, [s].
    """

    def __init__(self, node: Node, *, base_frame: str, max_age_s: float) -> None:
        self._node, self._base_frame = node, base_frame
        self._tree = TransformTree(max_age_s=max_age_s)
        self._subscriptions = [
            node.create_subscription(TFMessage, "/tf", self._store(static=False), qos.TRANSFORMS),
            node.create_subscription(TFMessage, "/tf_static", self._store(static=True), qos.STATIC_TRANSFORMS),
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
                    stamp_s=seconds(stamp),
                    static=static,
                )

        return store

    def of_frame(self, frame: str, *, what: str) -> Poses:
        """Return the pose of a frame in the base frame, batch of one.

        Raises:
            RequestError: There is none, naming ``what`` and why.
        """
        try:
            return self._tree.lookup(self._base_frame, frame, clock_seconds(self._node))
        except TransformError as error:
            raise RequestError(
                "BAD_SOCKET_POSE",
                f"{what}: header.frame_id: expected {self._base_frame!r} (the arm's base) or a frame that is connected "
                f"to it, got {frame!r}: {error}",
            ) from None

    def in_base(self, message: PoseStamped, *, what: str) -> Poses:
        """Check a stamped pose and return it in the base frame, batch of one.

        Raises:
            RequestError: The pose or its frame is invalid; the message names ``what``.
        """
        pose = checked_numbers(*pose_numbers(message.pose), what=what)
        frame = message.header.frame_id
        if not frame:
            raise RequestError(
                "BAD_SOCKET_POSE", f"{what}: header.frame_id: expected {self._base_frame!r} or another frame, got none"
            )
        return self.of_frame(frame, what=what) @ pose
