"""Changes the bundle that sampler and policy node run, between trials, through their lifecycle."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.node import Node
from rclpy.task import Future

from refinery.bringup.node_names import POLICY, SAMPLER
from refinery.errors import NotReadyError

Answer = Callable[[Future, float, str], Any]
"""Waits for a service's answer: the future, longest wait [s], name of the service."""
_ANSWER_S = 60.0
_ACTIVATE_S = 30.0


class BundleSwitch:
    """Client of the lifecycle of sampler and policy node.

    Args:
        node: The client's node, in the namespace of the cell.
        answer: Spins it until an answer is there.
    """

    def __init__(self, node: Node, answer: Answer) -> None:
        self._answer = answer
        self._clients = {
            name: (
                node.create_client(ChangeState, f"{name}/change_state"),
                node.create_client(SetParameters, f"{name}/set_parameters"),
            )
            for name in (SAMPLER, POLICY)
        }
        self._used: Path | None = None

    def use(self, bundle: Path) -> None:
        """Have both nodes run a bundle; does nothing if they were told so before.

        Raises:
            NotReadyError: A node does not come back with it.
        """
        if bundle == self._used:
            return
        self._used = None
        for name in self._clients:
            self._change(name, Transition.TRANSITION_DEACTIVATE, "deactivate")
            self._change(name, Transition.TRANSITION_CLEANUP, "clean up")
            self._set(name, bundle)
            self._change(name, Transition.TRANSITION_CONFIGURE, "configure")
            self._change(name, Transition.TRANSITION_ACTIVATE, "activate", _ACTIVATE_S)
        self._used = bundle

    def _change(self, name: str, transition: int, what: str, again_s: float = 0.0) -> None:
        client, end = self._clients[name][0], time.monotonic() + again_s
        while True:
            request = ChangeState.Request(transition=Transition(id=transition))
            if self._answer(client.call_async(request), _ANSWER_S, client.srv_name).success:
                return
            if time.monotonic() > end:
                raise NotReadyError(f"{name} did not {what} for another bundle; its log says why")

    def _set(self, name: str, bundle: Path) -> None:
        client = self._clients[name][1]
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=str(bundle))
        request = SetParameters.Request(parameters=[Parameter(name="bundle", value=value)])
        (result,) = self._answer(client.call_async(request), _ANSWER_S, client.srv_name).results
        if not result.successful:
            raise NotReadyError(f"{name}: the parameter bundle cannot be set: {result.reason}")
