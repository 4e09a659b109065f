"""Publishes the node's state: ``~/status``, kept for late subscribers, and ``/diagnostics``."""

from __future__ import annotations

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.lifecycle import LifecycleNode

from refinery.tick import compiled
from refinery.tick.guard import GuardDecision, Level
from refinery_msgs.msg import PolicyStatus
from refinery_policy_node.insert_server import InsertServer
from refinery_policy_node.messages import reason_message
from refinery_policy_node.policy_resources import PolicyResources
from refinery_ros import qos

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
        self._status = node.create_publisher(PolicyStatus, "~/status", qos.STATUS)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def publish(self, resources: PolicyResources | None, inserts: InsertServer, problem: GuardDecision) -> None:
        """Publish the present state and how the last insertion ended.

        Args:
            resources: Resources of the node; None before configuration.
            inserts: The insertion in progress, if any, and the last one.
            problem: Why the last transition failed; OK if it did not.
        """
        status = PolicyStatus()
        status.header.stamp = self._node.get_clock().now().to_msg()
        decision, insertion = problem, inserts.insertion
        if resources is not None:
            guard, times = resources.runtime.guard, resources.runtime.times.summary()
            if guard.latched.level is not Level.OK:
                decision = guard.latched
            if not guard.armed:
                status.state = _STATES[guard.decision.level] if insertion else PolicyStatus.STOPPED
            elif insertion is not None:
                status.state = _STATES[guard.decision.level]
            status.bundle, status.task = resources.bundle.name, resources.runtime.task.name
            status.step_p50_us, status.step_p99_us = times.p50_s * 1e6, times.p99_s * 1e6
            status.step_p999_us, status.dry_run = times.p999_s * 1e6, resources.parameters.dry_run
            status.step_max_us, status.deadline_misses = times.max_s * 1e6, times.misses
        if insertion is not None:
            status.ticks = insertion.ticks
            status.rate_hz = insertion.rate_hz
        status.reason = reason_message(decision)
        status.ended, status.last_trial_id = inserts.ended, inserts.last_trial_id
        status.last_outcome, status.last_diagnosis = inserts.last.outcome, inserts.last.diagnosis
        self._status.publish(status)
        calibration = None if resources is None else resources.calibration
        correction = "off" if calibration is None else calibration.correction.description
        self._diagnostics.publish(self._diagnosis(status, decision, correction))

    def _diagnosis(self, status: PolicyStatus, decision: GuardDecision, correction: str) -> DiagnosticArray:
        levels = {Level.OK: DiagnosticStatus.OK, Level.HOLD: DiagnosticStatus.WARN, Level.STOP: DiagnosticStatus.ERROR}
        values = {
            "state": _NAMES[status.state],
            "reason": decision.reason.name,
            "bundle": status.bundle,
            "task": status.task,
            "dry_run": str(status.dry_run).lower(),
            "tick": compiled.description(),
            "rate_hz": f"{status.rate_hz:.2f}",
            "step_p50_us": f"{status.step_p50_us:.0f}",
            "step_p99_us": f"{status.step_p99_us:.0f}",
            "step_p999_us": f"{status.step_p999_us:.0f}",
            "step_max_us": f"{status.step_max_us:.0f}",
            "deadline_misses": str(status.deadline_misses),
            "socket_correction": correction,
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
