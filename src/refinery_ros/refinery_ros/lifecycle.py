"""A lifecycle node that survives its own defects. Only nodes import this module.

rclpy lets an exception of a callback end the process, and drops one of a transition. A process that dies while it
commands an arm leaves the last target in force. Here every callback of the node is guarded: its exceptions are logged
and passed to :meth:`ManagedNode.on_defect`, and the node continues.
"""

from __future__ import annotations

import functools
import time
import traceback
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.srv import ChangeState
from rclpy.executors import Executor, ExternalShutdownException, ShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.service import Service
from rclpy.subscription import Subscription
from rclpy.timer import Timer

_REPEAT_S = 1.0
"""Shortest time between two log messages of a recurring defect, [s]."""


class GuardedCallback:
    """A callback whose exceptions are reported instead of raised.

    Args:
        where: What the callback belongs to, for messages.
        callback: The function to call.
        report: Takes ``where`` and the exception.
        fallback: Returns the value after an exception, from the callback's arguments and the exception.
    """

    def __init__(
        self,
        where: str,
        callback: Callable[..., Any],
        report: Callable[[str, Exception], None],
        fallback: Callable[..., Any],
    ) -> None:
        functools.update_wrapper(self, callback)
        self.where = where
        self.callback = callback
        self._report, self._fallback = report, fallback

    def __call__(self, *arguments: Any) -> Any:
        """Call the callback."""
        try:
            return self.callback(*arguments)
        except Exception as error:
            self._report(self.where, error)
            return self._fallback(*arguments, error=error)


class ManagedNode(LifecycleNode):
    """A lifecycle node in which no exception ends the process or passes unseen.

    :func:`refinery_ros.lifecycle_process.run_lifecycle_node` runs it; what that asks of a node is defined here.

    Args:
        name: Node name.
    """

    autostart_timeout_s: float = 0.0
    """At autostart activation is repeated for this long, [s]; 0 is one attempt."""
    shutdown_timeout_s: float = 1.0
    """After a signal the process waits this long for :attr:`busy` to end, [s]."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.created_s = time.monotonic()
        """``time.monotonic()`` when the node was made, [s]."""
        for state_id, callback in self._callbacks.items():
            label = getattr(callback, "__name__", "transition")
            self._callbacks[state_id] = GuardedCallback(f"transition {label}", callback, self.defect, _error)
        self._service_change_state.callback = functools.partial(
            self._on_change_state, self._service_change_state.callback
        )
        # Services that rclpy creates itself.
        for service in self.services:
            if not isinstance(service.callback, GuardedCallback):
                service.callback = self._guarded(f"service {service.srv_name}", service.callback, _answer)

    @property
    def busy(self) -> bool:
        """Whether a motion is in progress that must end before the process may."""
        return False

    @property
    def transition_problem(self) -> str | None:
        """Why the last transition failed; None if it did not."""
        return None

    def begin_shutdown(self, signal_name: str) -> None:
        """Begin to end whatever is in progress; called once, after a signal.

        Args:
            signal_name: ``SIGINT`` or ``SIGTERM``.
        """

    def on_defect(self, where: str, error: Exception) -> None:
        """Bring the robot to a safe state; called after an exception of a callback, which is logged already.

        Args:
            where: Which callback.
            error: The exception.
        """

    def defect(self, where: str, error: Exception) -> None:
        """Log an exception and call :meth:`on_defect`; never raises."""
        trace = "".join(traceback.format_exception(error))
        self.get_logger().error(f"a defect in {where}:\n{trace}", throttle_duration_sec=_REPEAT_S)
        try:
            self.on_defect(where, error)
        except Exception:
            self.get_logger().error(f"a defect after a defect in {where}:\n{traceback.format_exc()}")

    def spin_once(self, executor: Executor, timeout_s: float) -> None:
        """Spin an executor once; an exception outside guarded callbacks is a defect too.

        Args:
            executor: Executor of this node.
            timeout_s: Longest wait for work, [s].

        Raises:
            ExternalShutdownException: The context has ended.
        """
        try:
            executor.spin_once(timeout_sec=timeout_s)
        except (ExternalShutdownException, ShutdownException):
            raise
        except Exception as error:
            self.defect("the executor", error)

    def transition(self, trigger: Callable[[], TransitionCallbackReturn]) -> bool:
        """Trigger a transition of this node from within; returns whether it succeeded.

        Args:
            trigger: A ``trigger_...`` method; one that does not fit the present state fails.
        """
        try:
            return trigger() == TransitionCallbackReturn.SUCCESS
        # RCLError, which rclpy does not export.
        except RuntimeError as error:
            self.get_logger().warning(f"{trigger.__name__}: {error}")
            return False

    def create_service(self, srv_type: Any, srv_name: str, callback: Callable[..., Any], **options: Any) -> Service:
        """Create a service as rclpy does; after an exception it answers with ``success`` false."""
        guarded = self._guarded(f"service {self.resolve_service_name(srv_name)}", callback, _answer)
        return super().create_service(srv_type, srv_name, guarded, **options)

    def create_subscription(
        self, msg_type: Any, topic: str, callback: Callable[..., Any], qos_profile: Any, **options: Any
    ) -> Subscription:
        """Create a subscription as rclpy does."""
        guarded = self._guarded(f"subscription {self.resolve_topic_name(topic)}", callback, _nothing)
        return super().create_subscription(msg_type, topic, guarded, qos_profile, **options)

    def create_timer(self, timer_period_sec: float, callback: Callable[..., Any], *args: Any, **options: Any) -> Timer:
        """Create a timer as rclpy does."""
        name = getattr(callback, "__qualname__", type(callback).__name__)
        return super().create_timer(
            timer_period_sec, self._guarded(f"timer {name}", callback, _nothing), *args, **options
        )

    def guarded(self, where: str, callback: Callable[..., Any], value: Any = None) -> GuardedCallback:
        """Guard a callback of something that is not created by the node, such as an action server.

        Args:
            where: What the callback belongs to.
            callback: A function, not a coroutine.
            value: Returned after an exception.
        """
        return self._guarded(where, callback, lambda *_arguments, error: value)

    def _guarded(self, where: str, callback: Callable[..., Any], fallback: Callable[..., Any]) -> GuardedCallback:
        return GuardedCallback(where, callback, self.defect, fallback)

    def _on_change_state(
        self, change: Callable[..., Any], request: ChangeState.Request, response: ChangeState.Response
    ) -> ChangeState.Response:
        """Refuse a transition that does not fit the present state, which rclpy answers by ending the process."""
        available = {entry[0]: entry[1] for entry in self._state_machine.available_transitions}
        asked = request.transition
        # rclpy itself refuses labels that do not fit.
        if asked.label or asked.id in available:
            return change(request, response)
        choice = ", ".join(f"{number} ({label})" for number, label in available.items())
        state = self._state_machine.current_state[1]
        self.get_logger().warning(
            f"~/change_state: expected a transition of the state {state!r}, which are {choice}, got {asked.id}"
        )
        response.success = False
        return response


def _nothing(*_arguments: Any, error: Exception) -> None:
    """Return None, as callbacks of subscriptions and timers do."""


def _answer(_request: Any, response: Any, *, error: Exception) -> Any:
    """Return a response that reports the defect, as far as the service's type has fields for it."""
    if hasattr(response, "success"):
        response.success = False
    if hasattr(response, "message"):
        response.message = f"a defect, {type(error).__name__}: {error}; see the node's log"
    return response


def _error(_state: LifecycleState, *, error: Exception) -> TransitionCallbackReturn:
    """Return ERROR, upon which the state machine calls ``on_error``."""
    return TransitionCallbackReturn.ERROR
