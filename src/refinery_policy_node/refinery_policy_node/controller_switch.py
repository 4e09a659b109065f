"""Handing the arm from the trajectory to the impedance controller and back, through the controller manager."""

from __future__ import annotations

from typing import Any, Protocol

import rclpy
from builtin_interfaces.msg import Duration
from controller_manager_msgs.srv import ListControllers, SwitchController
from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from refinery.robot_profile import RobotProfile


class Switch(Protocol):
    """Hands the arm over and back."""

    def problem(self) -> str:
        """Tell why switching would fail, or return an empty string."""

    async def switch(self, *, impedance: bool) -> str:
        """Switch without blocking the executor; returns an empty string, or why the controllers are not as asked."""

    def switch_blocking(self, *, impedance: bool) -> str:
        """The same from inside a callback or after the executor has stopped."""

    def destroy(self) -> None:
        """End the connections."""


class NoSwitch:
    """Leaves the controllers alone, for a dry run."""

    def problem(self) -> str:
        """Nothing can go wrong."""
        return ""

    async def switch(self, *, impedance: bool) -> str:
        """Do nothing."""
        return ""

    def switch_blocking(self, *, impedance: bool) -> str:
        """Do nothing."""
        return ""

    def destroy(self) -> None:
        """Nothing is connected."""


class ControllerSwitch:
    """Switches with STRICT semantics: both controllers change in one control cycle, or neither does.

    The manager is asked first what is active: to activate what is active already is an error in STRICT, and after a
    reflex nothing may be what it was.

    Args:
        node: The node.
        profile: Names of the services and controllers.
        timeout_s: Longest wait for an answer, [s].
    """

    def __init__(self, node: Node, profile: RobotProfile, timeout_s: float) -> None:
        self._node, self._profile, self._timeout_s = node, profile, timeout_s
        self._switch: Client = node.create_client(SwitchController, profile.services.switch_controller)
        self._list: Client = node.create_client(ListControllers, profile.services.list_controllers)

    def problem(self) -> str:
        """Tell why switching would fail, or return an empty string."""
        for client in (self._list, self._switch):
            if not (client.service_is_ready() or client.wait_for_service(timeout_sec=self._timeout_s)):
                return (
                    f"no service {client.srv_name} within {self._timeout_s:.1f} s; is the controller manager running?"
                )
        return self._run("_missing")

    async def switch(self, *, impedance: bool) -> str:
        """Switch without blocking the executor.

        Returns:
            An empty string, or why the controllers are not as asked.
        """
        names = self._profile.controllers
        on, off = (names.impedance, names.trajectory) if impedance else (names.trajectory, names.impedance)
        states, problem = await self._states()
        if problem:
            return problem
        request = SwitchController.Request(
            activate_controllers=[on] if states.get(on) != "active" else [],
            deactivate_controllers=[off] if states.get(off) == "active" else [],
            strictness=SwitchController.Request.STRICT,
            activate_asap=True,
            timeout=Duration(sec=int(self._timeout_s), nanosec=int(self._timeout_s % 1 * 1e9)),
        )
        if not request.activate_controllers and not request.deactivate_controllers:
            return ""
        response = await self._call(self._switch, request)
        if response is not None and response.ok:
            return ""
        said = "no answer" if response is None else f"refused ({response.message or 'no reason given'})"
        now, problem = await self._states()
        shown = problem or ", ".join(f"{name} is {now.get(name, 'not loaded')}" for name in (on, off))
        return f"{self._switch.srv_name}, to activate {on} and deactivate {off}: {said}; {shown}"

    def switch_blocking(self, *, impedance: bool) -> str:
        """Switch from inside a callback or after the executor has stopped, with a node and an executor of its own.

        Returns:
            As :meth:`switch`.
        """
        return self._run("switch", impedance=impedance)

    def destroy(self) -> None:
        """End the connections."""
        for client in (self._list, self._switch):
            self._node.destroy_client(client)

    async def _missing(self) -> str:
        """Tell which controller is not there."""
        states, problem = await self._states()
        names = self._profile.controllers
        absent = [
            name for name in (names.trajectory, names.impedance) if states.get(name) not in ("active", "inactive")
        ]
        if problem or not absent:
            return problem
        shown = ", ".join(f"{name} ({states.get(name, 'not loaded')})" for name in absent)
        loaded = ", ".join(sorted(states)) or "none"
        return (
            f"expected the controllers active or inactive, got {shown}; the manager has: {loaded}; load and configure"
        )

    async def _states(self) -> tuple[dict[str, str], str]:
        """State of every controller by name, or why it is not known."""
        response = await self._call(self._list, ListControllers.Request())
        if response is None:
            return {}, f"{self._list.srv_name}: no answer within {self._timeout_s:.1f} s"
        return {controller.name: controller.state for controller in response.controller}, ""

    async def _call(self, client: Client, request: Any) -> Any:
        """Call a service; None if there is no answer in time."""
        if not client.service_is_ready():
            return None
        future = client.call_async(request)
        timer = self._node.create_timer(self._timeout_s, future.cancel, clock=Clock(clock_type=ClockType.STEADY_TIME))
        try:
            response = await future
        finally:
            self._node.destroy_timer(timer)
        client.remove_pending_request(future)
        return response

    def _run(self, method: str, **arguments: bool) -> str:
        """Run one of our coroutines to its end on a node of its own."""
        context = self._node.context
        helper = rclpy.create_node(
            f"_{self._node.get_name()}_switch",
            namespace=self._node.get_namespace(),
            context=context,
            use_global_arguments=False,
        )
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(helper)
        try:
            other = ControllerSwitch(helper, self._profile, self._timeout_s)
            for client in (other._list, other._switch):
                client.wait_for_service(timeout_sec=self._timeout_s)
            task = executor.create_task(getattr(other, method), **arguments)
            executor.spin_until_future_complete(task, timeout_sec=4 * self._timeout_s)
            return str(task.result()) if task.done() else "the controller manager does not answer"
        finally:
            executor.shutdown()
            helper.destroy_node()
