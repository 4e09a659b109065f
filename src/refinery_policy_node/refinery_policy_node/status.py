"""What the node says about itself: ``~/status``, kept for late listeners, and ``/diagnostics``."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile

from refinery.tick.guard import GuardDecision, Level
from refinery_msgs.msg import PolicyStatus
from refinery_policy_node.insertion import Insertion
from refinery_policy_node.messages import reason_message
from refinery_policy_node.station import Station

_STATES = {Level.OK: PolicyStatus.RUNNING, Level.HOLD: PolicyStatus.HOLDING, Level.STOP: PolicyStatus.STOPPED}
_NAMES = {
    PolicyStatus.IDLE: "idle",
    PolicyStatus.RUNNING: "running",
    PolicyStatus.HOLDING: "holding",
    PolicyStatus.STOPPED: "stopped",
}


class StatusReport:
    """Publishes the state of the node.

    Args:
        node: The node.
    """

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._status = node.create_publisher(PolicyStatus, "~/status", latched)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def publish(self, station: Station | None, insertion: Insertion | None, problem: GuardDecision) -> None:
        """Publish the present state.

        Args:
            station: What is configured, if anything.
            insertion: What is in progress, if anything.
            problem: Why the last transition failed; OK if it did not.
        """
        status = PolicyStatus()
        status.header.stamp = self._node.get_clock().now().to_msg()
        decision = problem
        if station is not None:
            guard, times = station.runtime.guard, station.runtime.times.summary()
            if guard.latched.level is not Level.OK:
                decision = guard.latched
            if not guard.armed:
                status.state = _STATES[guard.decision.level] if insertion else PolicyStatus.STOPPED
            elif insertion is not None:
                status.state = _STATES[guard.decision.level]
            status.bundle, status.task = station.bundle.name, station.runtime.task.name
            status.step_p50_us, status.step_p99_us = times.p50_s * 1e6, times.p99_s * 1e6
            status.step_p999_us, status.dry_run = times.p999_s * 1e6, station.parameters.dry_run
            status.step_max_us, status.deadline_misses = times.max_s * 1e6, times.misses
        if insertion is not None:
            status.ticks = insertion.ticks
            status.rate_hz = insertion.rate_hz
        status.reason = reason_message(decision)
        self._status.publish(status)
        self._diagnostics.publish(self._diagnosis(status, decision))

    def _diagnosis(self, status: PolicyStatus, decision: GuardDecision) -> DiagnosticArray:
        levels = {Level.OK: DiagnosticStatus.OK, Level.HOLD: DiagnosticStatus.WARN, Level.STOP: DiagnosticStatus.ERROR}
        values = {
            "state": _NAMES[status.state],
            "reason": decision.reason.name,
            "bundle": status.bundle,
            "task": status.task,
            "dry_run": str(status.dry_run).lower(),
            "rate_hz": f"{status.rate_hz:.2f}",
            "step_p50_us": f"{status.step_p50_us:.0f}",
            "step_p99_us": f"{status.step_p99_us:.0f}",
            "step_p999_us": f"{status.step_p999_us:.0f}",
            "step_max_us": f"{status.step_max_us:.0f}",
            "deadline_misses": str(status.deadline_misses),
        }
        report = DiagnosticStatus(
            level=levels[decision.level],
            name=self._node.get_fully_qualified_name(),
            message=decision.message or _NAMES[status.state],
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[report])
        array.header.stamp = status.header.stamp
        return array
