"""The ROS shell: a lifecycle node that loads a bundle, checks the robot and serves ``insert``."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from refinery.bringup.graph import find_rival, settle
from refinery.bringup.ros_start import init_ros
from refinery.errors import RefineryError
from refinery.tick.guard import GuardDecision, Level, Reason
from refinery_msgs.msg import Outcome
from refinery_policy_node.activation import check_interface, check_only_publisher
from refinery_policy_node.insert_server import InsertServer
from refinery_policy_node.parameters import declare_parameters, read_parameters
from refinery_policy_node.rest_check import RestLook, check_offset
from refinery_policy_node.station import Station
from refinery_policy_node.status import StatusReport
from refinery_ros.lifecycle import ManagedNode

_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
_WATCH_S = 0.25
_STATUS_EVERY = 4
_SPIN_S = 0.1
_LAST_WORDS_S = 1.0


class PolicyNode(ManagedNode):
    """Runs the policy of a bundle against a robot."""

    def __init__(self) -> None:
        super().__init__("refinery_policy")
        declare_parameters(self)
        self.born_s = time.monotonic()
        """When the node was made, [s]."""
        self._station: Station | None = None
        self._problem = GuardDecision()
        self._watched = 0
        self._status = StatusReport(self)
        self._inserts = InsertServer(self, self._publish_status)
        self.create_service(Trigger, "~/hold", self._on_hold)
        self.create_service(Trigger, "~/stop", self._on_stop)
        self.create_service(Trigger, "~/rearm", self._on_rearm)
        self._timer = self.create_timer(_WATCH_S, self._watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load and check the bundle and the robot profile, warm up the policy, connect."""
        try:
            self._station = Station(self, read_parameters(self))
        except RefineryError as error:
            return self._refuse(GuardDecision(level=Level.STOP, message=str(error)))
        bundle = self._station.bundle
        self.get_logger().info(f"bundle {bundle.name} for task {bundle.task.name} from {bundle.path}")
        return self._accept()

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Check that the robot is there and that nobody else commands it."""
        station = self._station
        assert station is not None
        inputs = [latest.name for latest in station.topics.inputs_read]
        if rival := find_rival(self, actions=("insert",), inputs=inputs):
            return self._refuse(GuardDecision(level=Level.STOP, reason=Reason.SECOND_PUBLISHER, message=rival))
        verdict = check_interface(self, station.topics, station.parameters.activation_timeout_s)
        if verdict.level is Level.OK and (problem := station.switch.problem()):
            verdict = GuardDecision(level=Level.STOP, reason=Reason.TOPIC_MISSING, message=problem)
        if verdict.level is Level.OK:
            samples, runtime = RestLook(station.topics).run_blocking(), station.runtime
            verdict = check_offset(self, samples, runtime.task, runtime.guard.settings)
        if verdict.level is not Level.OK:
            return self._refuse(verdict)
        super().on_activate(state)
        self._inserts.serve(station)
        return self._accept()

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the measured pose and hand the arm back."""
        self._let_go(Reason.DEACTIVATED, "the node was deactivated")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget the bundle and disconnect."""
        self._forget()
        return self._accept()

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the arm and forget everything, after a transition that raised."""
        try:
            self._let_go(Reason.DEFECT, self._problem.message)
        finally:
            self._forget()
        self._publish_status()
        return _SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """As deactivation, then clean-up."""
        self._let_go(Reason.SHUTDOWN, "the process was told to end")
        return self.on_cleanup(state)

    def on_defect(self, where: str, error: Exception) -> None:
        """Hold, end the insertion in progress, and stay stopped until re-armed."""
        message = f"a defect in {where}, {type(error).__name__}: {error}; see the node's log"
        self._problem = verdict = GuardDecision(level=Level.STOP, reason=Reason.DEFECT, message=message)
        try:
            self._inserts.interrupt(Outcome.STOPPED, verdict)
        finally:
            self._inserts.fail(error)
            if self._station is not None:
                self._station.runtime.guard.stop(verdict.reason, verdict.message)
            self._publish_status()

    @property
    def busy(self) -> bool:
        """Whether an insertion is in progress."""
        return self._inserts.busy

    @property
    def problem(self) -> GuardDecision:
        """Why the last transition failed; OK if it did not."""
        return self._problem

    def _let_go(self, reason: Reason, message: str) -> None:
        self._inserts.serve(None)
        self._inserts.interrupt(Outcome.STOPPED, GuardDecision(level=Level.HOLD, reason=reason, message=message))
        if self._station is not None and (problem := self._inserts.hand_back_now(self._station)):
            self.get_logger().error(f"the arm was not handed back: {problem}")

    def _forget(self) -> None:
        if self._station is not None:
            self._station.destroy()
            self._station = None

    def _refuse(self, verdict: GuardDecision) -> TransitionCallbackReturn:
        if verdict != self._problem:
            self.get_logger().error(verdict.message)
        self._problem = verdict
        self._publish_status()
        return _FAILURE

    def _accept(self) -> TransitionCallbackReturn:
        self._problem = GuardDecision()
        self._publish_status()
        return _SUCCESS

    def _watch(self) -> None:
        """Look for what no policy step sees: a clock that stands still, somebody else who commands the arm."""
        self._watched += 1
        station = self._station
        if station is not None:
            stopped = station.clock.look(station.topics.now_s(), time.monotonic())
            if self._inserts.insertion is not None:
                verdict = check_only_publisher(self, station.topics.target_topic)
                if stopped:
                    verdict = station.check_clock()
                if verdict.level is not Level.OK:
                    self._inserts.interrupt(Outcome.STOPPED, verdict)
                    station.runtime.guard.stop(verdict.reason, verdict.message)
        if self._watched % _STATUS_EVERY == 0:
            self._publish_status()

    def _publish_status(self) -> None:
        self._status.publish(self._station, self._inserts.insertion, self._problem)

    def _on_hold(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._halt(response, Level.HOLD, "holding the measured pose until ~/rearm")

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        return self._halt(response, Level.STOP, "stopped, compliant at the measured pose, until ~/rearm")

    def _halt(self, response: Trigger.Response, level: Level, done: str) -> Trigger.Response:
        """End the insertion in progress as somebody asked for, and stay so until re-armed."""
        what = level.name.lower()
        if self._station is None:
            response.success, response.message = False, f"the node is not configured: there is nothing to {what}"
            return response
        verdict = GuardDecision(
            level=level, reason=Reason.REQUESTED, message=f"a {what} was requested; ~/rearm ends it"
        )
        self._inserts.interrupt(Outcome.STOPPED, verdict)
        guard = self._station.runtime.guard
        if level is Level.HOLD:
            guard.hold(verdict.reason, verdict.message, until_rearm=True)
        else:
            guard.stop(verdict.reason, verdict.message)
        self._publish_status()
        response.success, response.message = True, done
        return response

    def _on_rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        if self._station is None or self.busy:
            response.success, response.message = False, "expected a configured node without an insertion in progress"
            return response
        verdict = check_only_publisher(self, self._station.topics.target_topic)
        if self._station.clock.stopped:
            verdict = self._station.check_clock()
        if verdict.level is Level.OK:
            verdict = self._station.runtime.guard.rearm(self._station.topics.inputs())
        response.success = verdict.level is Level.OK
        if response.success:
            self._problem = GuardDecision()
        response.message = "armed" if response.success else f"not armed, the cause stands: {verdict.message}"
        self._publish_status()
        return response


def _autostart(node: PolicyNode, executor: SingleThreadedExecutor, told: list[int]) -> bool:
    """Configure, then try to activate until the robot is there; tells whether the node is active."""
    if not node.transition(node.trigger_configure):
        return False
    discovery_s = float(node.get_parameter("discovery_s").value)
    settle(lambda timeout_s: node.spin_once(executor, timeout_s), node.born_s, lambda: bool(told), discovery_s)
    end_s = time.monotonic() + float(node.get_parameter("autostart_timeout_s").value)
    while not told:
        if node.transition(node.trigger_activate):
            node.get_logger().info("active")
            return True
        if time.monotonic() > end_s:
            node.get_logger().error(f"giving up: {node.problem.message}")
            return False
        node.spin_once(executor, _SPIN_S)
    return True


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    # Own handlers: rclpy's would end the context first, and then the arm could not be told to hold.
    try:
        init_ros(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RefineryError as error:
        print(f"refinery_policy: {error}", file=sys.stderr)
        return 1
    told: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        node = PolicyNode()
    except (RefineryError, ParameterException) as error:
        print(f"refinery_policy: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.get_parameter("autostart").value and not _autostart(node, executor, told):
            return 1
        while not told:
            node.spin_once(executor, _SPIN_S)
        node.get_logger().info(f"{signal.Signals(told[0]).name}: holding and ending")
        was_busy = node.busy
        node.transition(node.trigger_shutdown)
        end_s = time.monotonic() + _LAST_WORDS_S
        # The client of an interrupted insertion still gets its result.
        while was_busy and time.monotonic() < end_s:
            node.spin_once(executor, _SPIN_S)
        return 0
    finally:
        executor.shutdown(timeout_sec=_LAST_WORDS_S)
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    sys.exit(main())
