"""One goal of an action from the command line: with progress, cancelled by Ctrl-C, through lost answers."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from refinery.bringup.middleware import ASK_AGAIN_S, check_middleware
from refinery.bringup.node_spec import check_namespace
from refinery.bringup.ros_start import init_ros
from refinery.config import check
from refinery.errors import NotReadyError

_POLL_S = 0.25
CANCEL_S = 15.0
"""A goal that was cancelled has to end within this, [s]."""


@dataclass(frozen=True, kw_only=True)
class GoalArgs:
    """Options of every command that sends a goal."""

    namespace: str = ""
    """Of the cell, as in /left; empty: none."""
    wait_s: float = 10.0
    """Wait at most this long for the node, [s]."""

    def __post_init__(self) -> None:
        """Validate what does not fit into the goal; the node judges the rest."""
        check_namespace(self.namespace)
        check(self.wait_s > 0, "wait_s", "a positive time [s]", self.wait_s)


class GoalRun:
    """Sends one goal and waits for its end.

    A goal that is sent again has the same id, so that a server which lost nothing but its answer does not run it twice.

    Args:
        kind: The action's type.
        name: The action's name.
        server: Node that serves it. Where it is a lifecycle node, the goal is sent once it is active.
        namespace: Of the cell, as in /left; empty: none.
    """

    def __init__(self, kind: Any, name: str, server: str, namespace: str) -> None:
        self._kind, self._name, self._server, self._namespace = kind, name, server, namespace
        self.cancelled = False
        """Whether Ctrl-C has ended it."""

    def run(self, goal: Any, *, wait_s: float, timeout_s: float, show: Callable[[Any], str]) -> Any:
        """Send the goal.

        Args:
            goal: The goal.
            wait_s: Longest wait for the server to be there and active, and for it to accept, [s].
            timeout_s: Longest run, wall clock, [s].
            show: Makes a line of a feedback message; printed at most every half second.

        Returns:
            The result.

        Raises:
            NotReadyError: There is no server, it rejected the goal, or did not answer.
            KeyboardInterrupt: A second Ctrl-C, while the goal was being cancelled.
        """
        check_middleware(os.environ)
        import rclpy
        from rclpy.action import ActionClient
        from rclpy.signals import SignalHandlerOptions

        print(f"waiting for /{self._name} ...", file=sys.stderr, flush=True)
        # Ctrl-C is for Python: the handler of rclpy would end the context under a call first.
        init_ros(signal_handler_options=SignalHandlerOptions.NO)
        try:
            self._node = rclpy.create_node(f"refinery_{self._name}", namespace=self._namespace or None)
            self._client = ActionClient(self._node, self._kind, self._name)
            end_s = time.monotonic() + wait_s
            if not self._client.wait_for_server(timeout_sec=wait_s):
                raise NotReadyError(f"no action {self._full_name} within {wait_s:.0f} s; {self._hint()}")
            self._wait_until_active(end_s)
            handle = self._accepted(goal, time.monotonic() + wait_s, _Shown(show))
            return self._ended(handle, time.monotonic() + timeout_s)
        finally:
            rclpy.try_shutdown()

    @property
    def _full_name(self) -> str:
        return f"{self._namespace}/{self._name}"

    def _hint(self) -> str:
        from refinery.bringup.graph import namespace_hint

        kind = f"refinery_msgs/action/{self._kind.__name__}_SendGoal"
        hint = namespace_hint(self._node, f"{self._name}/_action/send_goal", kind)
        return hint or "is the cell up on this ROS_DOMAIN_ID? (refinery up --robot twin)"

    def _wait_until_active(self, end_s: float) -> None:
        """Wait while the server's node is being brought up; one that stays inactive says so when it gets the goal."""
        from lifecycle_msgs.msg import State
        from lifecycle_msgs.srv import GetState

        client, told = self._node.create_client(GetState, f"{self._server}/get_state"), False
        if not client.wait_for_service(timeout_sec=1.0):
            return
        while (left_s := end_s - time.monotonic()) > 0:
            future = client.call_async(GetState.Request())
            self._spin(future, min(ASK_AGAIN_S, left_s))
            if future.done() and future.result().current_state.id == State.PRIMARY_STATE_ACTIVE:
                return
            if not told:
                print(f"waiting until {self._server} is active ...", file=sys.stderr, flush=True)
                told = True
            time.sleep(min(_POLL_S, left_s))

    def _accepted(self, goal: Any, end_s: float, show: Callable[[Any], None]) -> Any:
        """Return the handle of the goal once the server has answered, accepted or running already."""
        from rclpy.action.client import ClientGoalHandle
        from unique_identifier_msgs.msg import UUID

        goal_id = UUID(uuid=list(uuid.uuid4().bytes))
        asked: list[Any] = []
        while (left_s := end_s - time.monotonic()) > 0:
            asked.append(self._client.send_goal_async(goal, feedback_callback=show, goal_uuid=goal_id))
            try:
                self._spin(asked[-1], min(ASK_AGAIN_S, left_s))
            except KeyboardInterrupt:
                # It may run already: the answer is on its way, or lost.
                handle = ClientGoalHandle(self._client, goal_id, self._kind.Impl.SendGoalService.Response())
                self._cancel(handle)
                return handle
            handles = [future.result() for future in asked if future.done()]
            if handles and (handles[0].accepted or len(asked) > 1):
                # Asked again, a goal that runs already is rejected as known; its result says which it was.
                return handles[0]
            if handles:
                raise NotReadyError(f"{self._full_name} rejected the goal; the node's log says why")
        raise NotReadyError(f"{self._full_name} did not answer in time; see the node's log")

    def _ended(self, handle: Any, end_s: float) -> Any:
        from action_msgs.msg import GoalStatus

        results: list[Any] = []
        end_s = time.monotonic() + CANCEL_S if self.cancelled else end_s
        while (left_s := end_s - time.monotonic()) > 0:
            try:
                results.append(handle.get_result_async())
                self._spin(results[-1], min(ASK_AGAIN_S, left_s))
                answers = [future.result() for future in results if future.done()]
            except KeyboardInterrupt:
                if self.cancelled:
                    raise
                self._cancel(handle)
                end_s = time.monotonic() + CANCEL_S
                continue
            if answers and answers[0].status == GoalStatus.STATUS_UNKNOWN:
                if self.cancelled:
                    # Nothing had begun.
                    raise KeyboardInterrupt
                raise NotReadyError(
                    f"{self._full_name} does not know the goal: it was rejected, or its node was started anew; "
                    "the node's log says which"
                )
            if answers:
                return answers[0].result
        raise NotReadyError(f"{self._full_name} did not end in time; see the node's log")

    def _cancel(self, handle: Any) -> None:
        print("cancelling; Ctrl-C again to leave it alone", file=sys.stderr, flush=True)
        self.cancelled = True
        handle.cancel_goal_async()

    def _spin(self, future: Any, timeout_s: float) -> None:
        import rclpy

        rclpy.spin_until_future_complete(self._node, future, timeout_sec=timeout_s)


class _Shown:
    """Prints feedback now and then.

    Args:
        show: Makes a line of a feedback message.
    """

    def __init__(self, show: Callable[[Any], str]) -> None:
        self._show, self._last, self._next_s = show, "", 0.0

    def __call__(self, message: Any) -> None:
        line, now_s = self._show(message.feedback), time.monotonic()
        if line != self._last and now_s >= self._next_s:
            print(line, file=sys.stderr, flush=True)
            self._last, self._next_s = line, now_s + 0.5
