"""Switches between trajectory and impedance controller through the controller manager."""

from __future__ import annotations

from typing import Any, Protocol

import rclpy
from controller_manager_msgs.srv import ListControllers, SwitchController
from rclpy.client import Client
from rclpy.clock import Clock, ClockType
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from refinery.errors import NotReadyError
from refinery.robot_profile import RobotProfile
from refinery_ros.conversions import duration_message


class Switch(Protocol):
    """Hands the arm over and back."""

    def problem(self) -> str | None:
        """Return why switching would fail; None if it should not."""

    async def switch(self, *, impedance: bool) -> str | None:
        """Switch without blocking the executor; returns None, or why the controllers are not as requested."""

    def switch_blocking(self, *, impedance: bool) -> str | None:
        """The same from inside a callback or after the executor has stopped."""

    def destroy(self) -> None:
        """End the connections."""


class NoSwitch:
    """Leaves the controllers alone, for a dry run."""

    def problem(self) -> str | None:
        """Return None: there is nothing to switch."""
        return None

    async def switch(self, *, impedance: bool) -> str | None:
        """Do nothing."""
        return None

    def switch_blocking(self, *, impedance: bool) -> str | None:
        """Do nothing."""
        return None

    def destroy(self) -> None:
        """Nothing is connected."""


class ControllerSwitch:
    """Switches with STRICT semantics: both controllers change in one control cycle, or neither does.

    The states are queried first: to activate an active controller is an error in STRICT, and after a reflex any
    controller may have been deactivated.

    Args:
        node: The node.
        profile: Names of services and controllers.
        timeout_s: Longest wait for an answer, [s].
    """

    def __init__(self, node: Node, profile: RobotProfile, timeout_s: float) -> None:
        self._node, self._profile, self._timeout_s = node, profile, timeout_s
        self._switch: Client = node.create_client(SwitchController, profile.services.switch_controller)
        self._list: Client = node.create_client(ListControllers, profile.services.list_controllers)

    def problem(self) -> str | None:
        """Return why switching would fail; None if it should not."""
        for client in (self._list, self._switch):
            if not (client.service_is_ready() or client.wait_for_service(timeout_sec=self._timeout_s)):
                return (
                    f"no service {client.srv_name} within {self._timeout_s:.1f} s; is the controller manager running?"
                )
        return self._run("_missing")

    async def switch(self, *, impedance: bool) -> str | None:
        """Switch without blocking the executor.

        Returns:
            None, or why the controllers are not as requested.
        """
        names = self._profile.controllers
        on, off = (names.impedance, names.trajectory) if impedance else (names.trajectory, names.impedance)
        try:
            states = await self._states()
        except NotReadyError as error:
            return str(error)
        request = SwitchController.Request(
            activate_controllers=[on] if states.get(on) != "active" else [],
            deactivate_controllers=[off] if states.get(off) == "active" else [],
            strictness=SwitchController.Request.STRICT,
            activate_asap=True,
            timeout=duration_message(self._timeout_s),
        )
        if not request.activate_controllers and not request.deactivate_controllers:
            return None
        response = await self._call(self._switch, request)
        if response is not None and response.ok:
            return None
        answer = "no answer" if response is None else f"refused ({response.message or 'no reason given'})"
        try:
            now = await self._states()
            shown = ", ".join(f"{name} is {now.get(name, 'not loaded')}" for name in (on, off))
        except NotReadyError as error:
            shown = str(error)
        return f"{self._switch.srv_name}, to activate {on} and deactivate {off}: {answer}; {shown}"

    def switch_blocking(self, *, impedance: bool) -> str | None:
        """Switch from inside a callback or after the executor has stopped, with a node and an executor of its own.

        Returns:
            As :meth:`switch`.
        """
        return self._run("switch", impedance=impedance)

    def destroy(self) -> None:
        """End the connections."""
        for client in (self._list, self._switch):
            self._node.destroy_client(client)

    async def _missing(self) -> str | None:
        """Return which controllers are not loaded and configured; None if all are."""
        try:
            states = await self._states()
        except NotReadyError as error:
            return str(error)
        names = self._profile.controllers
        absent = [
            name for name in (names.trajectory, names.impedance) if states.get(name) not in ("active", "inactive")
        ]
        if not absent:
            return None
        shown = ", ".join(f"{name} ({states.get(name, 'not loaded')})" for name in absent)
        loaded = ", ".join(sorted(states)) or "none"
        return (
            f"expected the controllers active or inactive, got {shown}; the manager has: {loaded}; load and configure"
        )

    async def _states(self) -> dict[str, str]:
        """Return the state of every controller by name.

        Raises:
            NotReadyError: The controller manager does not answer.
        """
        response = await self._call(self._list, ListControllers.Request())
        if response is None:
            raise NotReadyError(f"{self._list.srv_name}: no answer within {self._timeout_s:.1f} s")
        return {controller.name: controller.state for controller in response.controller}

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

    def _run(self, method: str, **arguments: bool) -> str | None:
        """Run one of the coroutines to its end on a separate node."""
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
            if not task.done():
                return "the controller manager does not answer"
            problem: str | None = task.result()
            return problem
        finally:
            executor.shutdown()
            helper.destroy_node()
