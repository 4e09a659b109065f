"""Runs trials through the public ROS interface of the nodes, as any client would: new cell, place, insert, truth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from rclpy.client import Client
from rclpy.node import Node
from rclpy.task import Future
from std_srvs.srv import Trigger

from refinery.bringup.graph import namespace_hint
from refinery.errors import NotReadyError
from refinery_msgs.action import Insert, Place
from refinery_msgs.msg import GuardReason, Outcome
from refinery_msgs.srv import SampleInit, TwinTrial, TwinTruth

Watch = Callable[[], None]
"""Called while waiting; raises when there is no point in waiting any longer."""

OUTCOMES = {
    value: name.lower()
    for name, value in (
        ("SUCCESS", Outcome.SUCCESS),
        ("FAILED", Outcome.FAILED),
        ("STOPPED", Outcome.STOPPED),
        ("CANCELLED", Outcome.CANCELLED),
        ("REFUSED", Outcome.REFUSED),
        ("TIMED_OUT", Outcome.TIMED_OUT),
    )
}
"""Names of the outcome values."""
ASK_AGAIN_S = 10.0
"""A service that has not answered for so long is asked again, [s]; :data:`refinery.bringup.middleware.ASK_AGAIN_S` says
why. Longer than there: a sampler draws for seconds."""
ANSWER_S = 30.0
"""Longest wait for an answer, [s]."""


class TrialClient:
    """Client of the twin, sampler and policy nodes.

    Args:
        node: The client's node, in the namespace of the cell.
        watch: Called while waiting.
    """

    def __init__(self, node: Node, watch: Watch) -> None:
        self._node, self._watch = node, watch
        self._trial = node.create_client(TwinTrial, "twin/trial")
        self._truth = node.create_client(TwinTruth, "twin/truth")
        self._sample = node.create_client(SampleInit, "sample_init")
        self._place = ActionClient(node, Place, "place")
        self._insert = ActionClient(node, Insert, "insert")
        self._rearm = node.create_client(Trigger, "refinery_policy/rearm")
        self._reset_estimate = node.create_client(Trigger, "refinery_sampler/reset_estimate")
        self._stopped = False

    def wait_until_ready(self, timeout_s: float = 60.0, *, inserting: bool = True, twin: bool = True) -> None:
        """Wait for every interface, and until the sampler answers an empty request.

        Args:
            timeout_s: Longest wait, wall clock, [s].
            inserting: Whether there has to be a policy node.
            twin: Whether there has to be a twin.

        Raises:
            NotReadyError: Names the service or action that is missing, or the sampler's last answer.
        """
        end = time.monotonic() + timeout_s
        for client in (self._trial, self._truth, self._sample) if twin else (self._sample,):
            if not self._comes(client.service_is_ready, end):
                raise NotReadyError(self._missing(client))
        actions = {"place": self._place} | ({"insert": self._insert} if inserting else {})
        for name, action in actions.items():
            self._until(action.server_is_ready, end, f"action {name}")
        answer = "none"
        while time.monotonic() < end:
            response = self._asked(self._sample, SampleInit.Request(), end)
            if response is None:
                continue
            if response.success:
                return
            answer = response.message
            self._spin(0.2)
        raise NotReadyError(f"/sample_init is not ready after {timeout_s:.0f} s; its last answer: {answer}")

    def new_cell(self, seed: int, grasp: Sequence[float] = ()) -> PoseStamped:
        """Set the twin up for a trial.

        Args:
            seed: Seed of the trial.
            grasp: How its gripper holds the part, grasp_x, grasp_z [m], grasp_pitch [rad]; empty: as intended.

        Returns:
            An estimate of the socket's pose.

        Raises:
            NotReadyError: The twin refused.
        """
        request = TwinTrial.Request(seed=seed, grasp=list(grasp))
        response = self._answer(self._trial, request, "twin/trial")
        if not response.success:
            raise NotReadyError(f"/twin/trial: {response.message}")
        # No camera detects a move of the socket within its jitter; the client, which moved it, reports it.
        self._ask(self._reset_estimate, "refinery_sampler/reset_estimate")
        if self._stopped:
            # The guard's stop is latched; the new cell has removed its cause, and this client is the one in charge.
            self.rearm()
        return response.socket_estimate

    def sample(self, mode: str, seed: int, socket: PoseStamped) -> SampleInit.Response:
        """Ask for the initial state that :meth:`place` with this mode and seed would go to; the answer may refuse."""
        request = SampleInit.Request(mode=mode, seed=seed, socket_pose=socket)
        return self._answer(self._sample, request, "sample_init")

    def task(self) -> str:
        """Name of the task that the nodes have loaded."""
        return str(self._answer(self._sample, SampleInit.Request(), "sample_init").task)

    def place(self, mode: str, seed: int) -> Place.Result:
        """Sample an initial state and move there; the result says how it ended."""
        return self._act(self._place, Place.Goal(mode=mode, seed=seed), 60.0, "place")

    def insert(self, trial_id: int, grasp: Sequence[float] = ()) -> Insert.Result:
        """Run the policy on a part held so (as for :meth:`new_cell`); the result says how it ended.

        After a stop the next :meth:`new_cell` re-arms the guard.
        """
        result = self._act(self._insert, Insert.Goal(trial_id=trial_id, grasp=list(grasp)), 60.0, "insert")
        self._stopped = result.outcome.value == Outcome.STOPPED
        return result

    def truth(self) -> TwinTruth.Response:
        """Ask the twin how the insertion really ended."""
        return self._answer(self._truth, TwinTruth.Request(), "twin/truth")

    def settle(self, wall_s: float) -> None:
        """Let messages flow for a while."""
        self._spin(wall_s)

    def _ask(self, client: Client, name: str) -> None:
        answer = self._answer(client, Trigger.Request(), name)
        if not answer.success:
            raise NotReadyError(f"{name}: {answer.message}")

    def _answer(self, client: Client, request: Any, name: str) -> Any:
        """Ask, and ask again where an answer was lost: none of these services does more when it is asked twice."""
        end = time.monotonic() + ANSWER_S
        while time.monotonic() < end:
            if (answer := self._asked(client, request, end)) is not None:
                return answer
        raise NotReadyError(_in_vain(f"an answer of {name}"))

    def _asked(self, client: Client, request: Any, end: float) -> Any:
        """Ask once; returns the answer, or None if it does not come: see :data:`ASK_AGAIN_S`."""
        future = client.call_async(request)
        if self._comes(future.done, min(end, time.monotonic() + ASK_AGAIN_S)):
            return future.result()
        client.remove_pending_request(future)
        return None

    def _act(self, client: ActionClient, goal: Any, timeout_s: float, name: str) -> Any:
        handle = self.result(client.send_goal_async(goal), ANSWER_S, name)
        if not handle.accepted:
            raise NotReadyError(f"{name}: the goal was rejected; the node's log says why")
        return self.result(handle.get_result_async(), timeout_s, name).result

    def rearm(self) -> None:
        """Re-arm the guard after a stop.

        Raises:
            NotReadyError: The cause of the stop persists.
        """
        self._ask(self._rearm, "refinery_policy/rearm")
        self._stopped = False

    def result(self, future: Future, timeout_s: float, name: str) -> Any:
        """Spin until an answer is there and return it.

        Args:
            future: Of the answer.
            timeout_s: Longest wait, [s].
            name: Of who should answer.

        Raises:
            NotReadyError: There is none in time.
        """
        self._until(future.done, time.monotonic() + timeout_s, f"an answer of {name}")
        return future.result()

    def _until(self, ready: Callable[[], bool], end: float, what: str) -> None:
        if not self._comes(ready, end):
            raise NotReadyError(_in_vain(what))

    def _missing(self, client: Client) -> str:
        kind: Any = client.srv_type
        package = kind.__module__.partition(".")[0]
        hint = namespace_hint(self._node, client.srv_name, f"{package}/srv/{kind.__name__}")
        hint = hint or "is the node running? (refinery up --robot twin)"
        return f"waited in vain for service {client.service_name}; {hint}"

    def _comes(self, ready: Callable[[], bool], end: float) -> bool:
        """Spin until a condition holds or the time is over; return whether it holds."""
        while not ready():
            if time.monotonic() > end:
                return False
            self._spin(0.05)
        return True

    def _spin(self, wall_s: float) -> None:
        end = time.monotonic() + wall_s
        while True:
            self._watch()
            rclpy.spin_once(self._node, timeout_sec=max(0.0, min(0.05, end - time.monotonic())))
            if time.monotonic() >= end:
                return


def _in_vain(what: str) -> str:
    return f"waited in vain for {what}; is the node running? (refinery up --robot twin)"


REASONS = {
    getattr(GuardReason, name): name.lower()
    for name in dir(GuardReason)
    if name.isupper() and isinstance(getattr(GuardReason, name), int)
}
"""Names of the guard reasons."""
