"""The real node in its own process, and a client that talks to it as a lifecycle manager and an engineer would."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.action import ActionClient
from rclpy.node import Node
from std_srvs.srv import Trigger

from refinery_msgs.action import Insert
from refinery_msgs.msg import PolicyStatus
from refinery_ros import qos
from refinery_ros.testing.graph import asking

PATIENCE_S = 60.0


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    """Wait until a condition gives something true; the executor spins in its own thread."""
    end_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < end_s:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError(f"no {what} within {PATIENCE_S:.0f} s")


class PolicyProcess:
    """A policy node process.

    Args:
        node: Carries the clients.
        log: File for the process's output.
        program: What Python runs instead of the node.
        parameters: Of the node.
    """

    def __init__(self, node: Node, log: Path, *, program: tuple[str, ...] = (), **parameters: object) -> None:
        arguments = ["--ros-args", "-p", "use_sim_time:=true"]
        for name, value in parameters.items():
            arguments += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, *(program or ("-m", "refinery_policy_node.node")), *arguments],
                stdout=output,
                stderr=subprocess.STDOUT,
                env=os.environ,
            )
        self._node = node
        self.statuses: list[PolicyStatus] = []
        latched = qos.STATUS
        name = "/refinery_policy"
        self._subscription = node.create_subscription(PolicyStatus, f"{name}/status", self.statuses.append, latched)
        self._change = node.create_client(ChangeState, f"{name}/change_state")
        self._state = node.create_client(GetState, f"{name}/get_state")
        self._hold = node.create_client(Trigger, f"{name}/hold")
        self._stop = node.create_client(Trigger, f"{name}/stop")
        self._rearm = node.create_client(Trigger, f"{name}/rearm")
        self._insert = ActionClient(node, Insert, "insert")

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def status(self) -> PolicyStatus:
        return wait_for(lambda: self.statuses and self.statuses[-1], "status")

    def state_id(self) -> int:
        return int(self._call(self._state, GetState.Request()).current_state.id)

    def transition(self, identifier: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=identifier))
        return bool(self._call(self._change, request).success)

    def configure(self) -> bool:
        return self.transition(Transition.TRANSITION_CONFIGURE)

    def activate(self) -> bool:
        return self.transition(Transition.TRANSITION_ACTIVATE)

    def deactivate(self) -> bool:
        return self.transition(Transition.TRANSITION_DEACTIVATE)

    def hold(self) -> Any:
        return self._call(self._hold, Trigger.Request())

    def stop(self) -> Any:
        return self._call(self._stop, Trigger.Request())

    def rearm(self) -> Any:
        return self._call(self._rearm, Trigger.Request())

    def send(self, **goal: Any) -> Any:
        """Send a goal; returns its handle once accepted."""
        wait_for(self._insert.server_is_ready, "action server")
        future = self._spun(lambda: self._insert.send_goal_async(Insert.Goal(**goal), feedback_callback=lambda _: None))
        wait_for(future.done, "answer to the goal")
        return future.result()

    def result(self, handle: Any) -> Insert.Result:
        future = self._spun(handle.get_result_async)
        wait_for(future.done, "result")
        return future.result().result

    def _spun(self, request: Callable[[], Any]) -> Any:
        """Send in the executor's thread: rclpy loses an answer that comes before the request's number is noted."""
        assert self._node.executor is not None
        task = self._node.executor.create_task(request)
        wait_for(task.done, "request")
        return task.result()

    def insert(self, **goal: Any) -> Insert.Result:
        return self.result(self.send(**goal))

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def close(self) -> None:
        """End the process, whatever it is doing, and the clients."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._insert.destroy()
        for client in (self._change, self._state, self._hold, self._stop, self._rearm):
            self._node.destroy_client(client)
        self._node.destroy_subscription(self._subscription)

    def _call(self, client: Any, request: Any) -> Any:
        wait_for(client.service_is_ready, f"service {client.srv_name}")
        return wait_for(asking(client, request), f"answer of {client.srv_name}")
