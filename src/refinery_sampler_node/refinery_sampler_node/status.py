"""What the node shows: markers for RViz, a latched status, and the same status on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from visualization_msgs.msg import MarkerArray

from refinery.errors import RefineryError
from refinery.mixture import Mixture
from refinery_sampler_node.drawing import Drawing
from refinery_sampler_node.markers import choice_markers
from refinery_sampler_node.station import Station

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_MARKERS_S = 0.2


class Display:
    """Publishes markers and status.

    Args:
        node: Gets the publishers and a timer.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._markers = node.create_publisher(MarkerArray, "~/markers", _LATCHED)
        self._status = node.create_publisher(DiagnosticStatus, "~/status", _LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", QoSProfile(depth=10))
        self._pending: tuple[Mixture, Drawing, str] | None = None
        self._timer = node.create_timer(
            _MARKERS_S, self._publish_markers, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def show(self, mixture: Mixture, drawing: Drawing, frame: str) -> None:
        """Draw a choice soon; of many in a row the last (so that drawing does not slow the service down)."""
        self._pending = (mixture, drawing, frame)

    def _publish_markers(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._markers.publish(choice_markers(*pending, self._node.get_clock().now().to_msg()))

    def status(self, station: Station | None, *, active: bool, busy: bool, last: str, error: str, defect: str) -> None:
        """Publish the state of the node.

        Args:
            station: Of the node, None before configuration.
            active: Whether requests are served.
            busy: Whether a placement is in progress.
            last: How the last placement ended.
            error: Why the last configuration failed.
            defect: What went wrong in the node itself since it was activated.
        """
        values = {
            "state": "active" if active else "inactive" if station else "unconfigured",
            "placing": str(busy),
            "last": last,
        }
        level, message = DiagnosticStatus.OK, "placing" if busy else "ready" if active else "not active"
        if station is None:
            level, message = DiagnosticStatus.ERROR if error else DiagnosticStatus.OK, error or "not configured"
        else:
            bundle, missing = station.sampler.bundle, station.moveit.missing()
            values["moveit"] = f"no {', no '.join(missing)}" if missing else "ready"
            values |= {"bundle": bundle.name, "task": bundle.task.name, "joint_state_age_s": f"{station.arm.age_s:.3f}"}
            try:
                values["socket_estimate"] = station.estimates.mean().words
            except RefineryError as unknown:
                values["socket_estimate"] = str(unknown)
                if active:
                    level, message = DiagnosticStatus.WARN, str(unknown)
            if active and missing:
                level, message = DiagnosticStatus.WARN, f"cannot place: {values['moveit']}"
        if defect:
            level, message = DiagnosticStatus.ERROR, defect
        status = DiagnosticStatus(
            level=level,
            name=self._node.get_fully_qualified_name(),
            message=message,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        self._status.publish(status)
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._diagnostics.publish(array)
