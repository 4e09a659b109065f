"""Publishes markers for RViz, a latched status, and the same status on /diagnostics."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from visualization_msgs.msg import MarkerArray

from refinery.errors import RefineryError
from refinery.mixture import Mixture
from refinery_ros import qos
from refinery_sampler_node.display.markers import choice_markers
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice

_MARKERS_S = 0.2


class Display:
    """Publishes markers and status.

    Args:
        node: Gets the publishers and a timer.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._markers = node.create_publisher(MarkerArray, "~/markers", qos.STATUS)
        self._status = node.create_publisher(DiagnosticStatus, "~/status", qos.STATUS)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self._pending: tuple[Mixture, DisplayedChoice, str, str] | None = None
        self._timer = node.create_timer(
            _MARKERS_S, self._publish_markers, clock=Clock(clock_type=ClockType.STEADY_TIME)
        )

    def show(self, mixture: Mixture, shown: DisplayedChoice, frame: str, correction: str) -> None:
        """Display a choice with the next timer tick, the newest only, so that the service is not slowed down."""
        self._pending = (mixture, shown, frame, correction)

    def _publish_markers(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._markers.publish(choice_markers(*pending, self._node.get_clock().now().to_msg()))

    def status(
        self,
        resources: SamplerResources | None,
        *,
        active: bool,
        busy: bool,
        last: str,
        problem: str | None,
        defect: str | None,
    ) -> None:
        """Publish the state of the node.

        Args:
            resources: Resources of the node; None before configuration.
            active: Whether requests are served.
            busy: Whether a placement is in progress.
            last: Message of the last placement's result.
            problem: Why the last transition failed; None if it did not.
            defect: The last defect of the node since its activation; None if there was none.
        """
        values = {
            "state": "active" if active else "inactive" if resources else "unconfigured",
            "placing": str(busy),
            "last": last,
        }
        level, message = DiagnosticStatus.OK, "placing" if busy else "ready" if active else "not active"
        if resources is None:
            level, message = DiagnosticStatus.ERROR if problem else DiagnosticStatus.OK, problem or "not configured"
        else:
            bundle, missing = resources.sampler.bundle, resources.moveit.missing()
            values["socket_correction"] = resources.correction
            values["moveit"] = f"no {', no '.join(missing)}" if missing else "ready"
            values |= {
                "bundle": bundle.name,
                "task": bundle.task.name,
                "joint_state_age_s": f"{resources.arm.age_s:.3f}",
            }
            try:
                values["socket_estimate"] = resources.estimates.mean().description
            except RefineryError as unknown:
                values["socket_estimate"] = str(unknown)
                if active:
                    level, message = DiagnosticStatus.WARN, str(unknown)
            if active and missing:
                level, message = DiagnosticStatus.WARN, f"cannot place: {values['moveit']}"
        if defect is not None:
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
