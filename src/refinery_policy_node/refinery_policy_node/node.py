"""The lifecycle node ``refinery_policy``: loads a bundle, checks the robot and serves ``insert``."""

from __future__ import annotations

import sys
import time

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from refinery.bringup.graph import find_duplicate
from refinery.bringup.node_names import POLICY
from refinery.errors import RefineryError
from refinery.tick import compiled
from refinery.tick.guard import GuardDecision, Level, Reason
from refinery_msgs.msg import Outcome
from refinery_policy_node.activation import check_interface, check_only_publisher
from refinery_policy_node.insert_server import InsertServer
from refinery_policy_node.parameters import declare_parameters, read_parameters
from refinery_policy_node.policy_resources import PolicyResources
from refinery_policy_node.rest_check import RestMeasurement, check_offset
from refinery_policy_node.status import StatusReport
from refinery_ros.lifecycle import ManagedNode
from refinery_ros.lifecycle_process import run_lifecycle_node

_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
_WATCH_S = 0.25
_STATUS_EVERY = 4


class PolicyNode(ManagedNode):
    """Runs the policies of bundles against a robot."""

    def __init__(self) -> None:
        super().__init__(POLICY)
        declare_parameters(self)
        self.autostart_timeout_s = float(self.get_parameter("autostart_timeout_s").value)
        self._resources: PolicyResources | None = None
        self._problem = GuardDecision()
        self._watched = 0
        self._status = StatusReport(self)
        self._inserts = InsertServer(self, self._publish_status)
        self.create_service(Trigger, "~/hold", self._on_hold)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/rearm", self._on_rearm)
        self.create_service(Trigger, "~/forget_calibration", self._on_forget)
        self.get_logger().info(f"policy tick: {compiled.description()}")
        self._timer = self.create_timer(_WATCH_S, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check the bundle and the robot profile, warm up the policy, connect."""
        try:
            self._resources = PolicyResources(self, read_parameters(self))
        except RefineryError as error:
            return self._refuse(GuardDecision(level=Level.STOP, message=str(error)))
        for bundle, _ in self._resources.policies:
            self.get_logger().info(f"bundle {bundle.name} for task {bundle.task.name} from {bundle.path}")
        return self._accept()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check that the robot is available and that no other node commands it."""
        resources = self._resources
        assert resources is not None
        inputs = [topic.name for topic in resources.topics.inputs_read]
        if duplicate := find_duplicate(self, actions=("insert",), inputs=inputs):
            return self._refuse(GuardDecision(level=Level.STOP, reason=Reason.SECOND_PUBLISHER, message=duplicate))
        decision = check_interface(self, resources.topics, resources.parameters.activation_timeout_s)
        if decision.level is Level.OK and (problem := resources.switch.problem()):
            decision = GuardDecision(level=Level.STOP, reason=Reason.TOPIC_MISSING, message=problem)
        if decision.level is Level.OK:
            samples, runtime = RestMeasurement(resources.topics).run_blocking(), resources.runtime
            decision = check_offset(self, samples, runtime.task, runtime.guard.settings)
        if decision.level is not Level.OK:
            return self._refuse(decision)
        super().on_activate(state)
        self._inserts.serve(resources)
        return self._accept()

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the measured pose and hand the arm back."""
        self._hand_back(Reason.DEACTIVATED, "the node was deactivated")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the bundle and disconnect."""
        self._release()
        return self._accept()

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that raised: hand the arm back and release everything."""
        try:
            self._hand_back(Reason.DEFECT, self._problem.message)
        finally:
            self._release()
        self._publish_status()
        return _SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate, then clean up."""
        self._hand_back(Reason.SHUTDOWN, "the process received a signal to end")
        return self.on_cleanup(state)

    def on_defect(self, where: str, error: Exception) -> None:
        """Hold, end the insertion in progress, and stay stopped until re-armed."""
        message = f"a defect in {where}, {type(error).__name__}: {error}; see the node's log"
        self._problem = decision = GuardDecision(level=Level.STOP, reason=Reason.DEFECT, message=message)
        try:
            self._inserts.interrupt(Outcome.STOPPED, decision)
        finally:
            self._inserts.fail(error)
            if self._resources is not None:
                self._resources.runtime.guard.stop(decision.reason, decision.message)
            self._publish_status()

    @property
    def busy(self) -> bool:
        """Whether an insertion is in progress."""
        return self._inserts.busy

    @property
    def transition_problem(self) -> str | None:
        """Why the last transition failed; None if it did not."""
        return self._problem.message or None

    def begin_shutdown(self, signal_name: str) -> None:
        """Hold the measured pose, hand the arm back and disconnect."""
        self.transition(self.trigger_shutdown)

    def _hand_back(self, reason: Reason, message: str) -> None:
        self._inserts.serve(None)
        self._inserts.interrupt(Outcome.STOPPED, GuardDecision(level=Level.HOLD, reason=reason, message=message))
        if self._resources is not None and (problem := self._inserts.hand_back_now(self._resources)):
            self.get_logger().error(f"the arm was not handed back: {problem}")

    def _release(self) -> None:
        if self._resources is not None:
            self._resources.destroy()
            self._resources = None

    def _refuse(self, decision: GuardDecision) -> TransitionCallbackReturn:
        if decision != self._problem:
            self.get_logger().error(decision.message)
        self._problem = decision
        self._publish_status()
        return _FAILURE

    def _accept(self) -> TransitionCallbackReturn:
        self._problem = GuardDecision()
        self._publish_status()
        return _SUCCESS

    def _watch(self) -> None:
        """Check what no policy step can: that the clock runs, and that no other node commands the arm."""
        self._watched += 1
        resources = self._resources
        if resources is not None:
            stopped = resources.clock.look(resources.topics.now_s(), time.monotonic())
            if self._inserts.insertion is not None:
                decision = check_only_publisher(self, resources.topics.target_topic)
                if stopped:
                    decision = resources.check_clock()
                if decision.level is not Level.OK:
                    self._inserts.interrupt(Outcome.STOPPED, decision)
                    resources.runtime.guard.stop(decision.reason, decision.message)
        if self._watched % _STATUS_EVERY == 0:
            self._publish_status()

    def _publish_status(self) -> None:
        self._status.publish(self._resources, self._inserts, self._problem)

    def _on_hold(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._halt(response, Level.HOLD, "holding the measured pose until ~/rearm")

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._halt(response, Level.STOP, "stopped, compliant at the measured pose, until ~/rearm")

    def _halt(self, response: Trigger.Response, level: Level, done: str) -> Trigger.Response:
        """End the insertion in progress on request, and stay stopped until re-armed."""
        what = level.name.lower()
        if self._resources is None:
            response.success, response.message = False, f"the node is not configured: there is nothing to {what}"
            return response
        decision = GuardDecision(
            level=level, reason=Reason.REQUESTED, message=f"a {what} was requested; ~/rearm ends it"
        )
        self._inserts.interrupt(Outcome.STOPPED, decision)
        guard = self._resources.runtime.guard
        if level is Level.HOLD:
            guard.hold(decision.reason, decision.message, until_rearm=True)
        else:
            guard.stop(decision.reason, decision.message)
        self._publish_status()
        response.success, response.message = True, done
        return response

    def _on_forget(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        calibration = None if self._resources is None else self._resources.calibration
        if self._resources is None or calibration is None or self.busy:
            response.success = False
            response.message = "expected a node configured with calibration_dir, without an insertion in progress"
            return response
        calibration.forget()
        self._resources.use_correction()
        response.success, response.message = True, "nothing is known of the socket estimate's error any more"
        return response

    def _on_rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._resources is None or self.busy:
            response.success, response.message = False, "expected a configured node without an insertion in progress"
            return response
        decision = check_only_publisher(self, self._resources.topics.target_topic)
        if self._resources.clock.stopped:
            decision = self._resources.check_clock()
        if decision.level is Level.OK:
            decision = self._resources.runtime.guard.rearm(self._resources.topics.inputs())
        response.success = decision.level is Level.OK
        if response.success:
            self._problem = GuardDecision()
        response.message = "armed" if response.success else f"not armed, the cause persists: {decision.message}"
        self._publish_status()
        return response


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    return run_lifecycle_node(POLICY, PolicyNode, args)


if __name__ == "__main__":
    sys.exit(main())
