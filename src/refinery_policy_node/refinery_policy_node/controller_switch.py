"""Handing the arm from the trajectory controller to the impedance controller and back.

Here through the twin's one service; a controller manager takes the same three calls.
"""

from __future__ import annotations

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from std_srvs.srv import SetBool


class ControllerSwitch:
    """Switches through a ``std_srvs/SetBool`` service: true is the impedance, false the trajectory controller.

    Args:
        node: The node.
        service: Name of the service; empty if the robot has none.
        timeout_s: Longest wait for an answer, [s].
    """

    def __init__(self, node: LifecycleNode, service: str, timeout_s: float) -> None:
        self._node = node
        self._service = node.resolve_service_name(service) if service else ""
        self._timeout_s = timeout_s
        self._client = node.create_client(SetBool, service) if service else None

    def problem(self) -> str:
        """Tell why switching would fail, or return an empty string."""
        if self._client is None:
            return "controllers cannot be switched: expected services.impedance in the robot profile, got none"
        if self._client.service_is_ready() or self._client.wait_for_service(timeout_sec=self._timeout_s):
            return ""
        return f"no service {self._service} within {self._timeout_s:.1f} s; is the controller manager running?"

    async def switch(self, *, impedance: bool) -> str:
        """Switch without blocking the executor.

        Returns:
            An empty string, or why the controllers are not as asked.
        """
        if self._client is None:
            return self.problem()
        future = self._client.call_async(SetBool.Request(data=impedance))
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        timer = self._node.create_timer(self._timeout_s, future.cancel, clock=steady)
        try:
            response = await future
        finally:
            self._node.destroy_timer(timer)
        self._client.remove_pending_request(future)
        return self._judge(response)

    def switch_blocking(self, *, impedance: bool) -> str:
        """Switch from inside a callback or after the executor has stopped, with a node and an executor of its own.

        Returns:
            As :meth:`switch`.
        """
        if self._client is None:
            return self.problem()
        context = self._node.context
        helper = rclpy.create_node(f"_{self._node.get_name()}_switch", context=context, use_global_arguments=False)
        executor = SingleThreadedExecutor(context=context)
        try:
            client = helper.create_client(SetBool, self._service)
            if not client.wait_for_service(timeout_sec=self._timeout_s):
                return self.problem() or "the service does not answer"
            future = client.call_async(SetBool.Request(data=impedance))
            rclpy.spin_until_future_complete(helper, future, executor, timeout_sec=self._timeout_s)
            return self._judge(future.result() if future.done() else None)
        finally:
            executor.shutdown()
            helper.destroy_node()

    def destroy(self) -> None:
        """End the connection."""
        if self._client is not None:
            self._node.destroy_client(self._client)

    def _judge(self, response: SetBool.Response | None) -> str:
        if response is None:
            return f"{self._service}: no answer within {self._timeout_s:.1f} s"
        return "" if response.success else f"{self._service}: {response.message}"
