"""The twin's services: trials, ground truth, faults, and the two of the controller manager that a hand-over needs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from controller_manager_msgs.msg import ControllerState
from controller_manager_msgs.srv import ListControllers, SwitchController
from rclpy.node import Node

from refinery.errors import RefineryError
from refinery.grasp import requested_grasp
from refinery.initial_state import THETA_NAMES
from refinery.robot_profile import RobotProfile
from refinery_msgs.srv import InjectFault, TwinTrial, TwinTruth
from refinery_ros.conversions import pose_message
from refinery_twin.cell import Cell
from refinery_twin.faults import KINDS
from refinery_twin.outputs import Outputs


class Services:
    """Answers at once, under the lock of the physics loop.

    Args:
        node: Gets the services.
        profile: Names of the services.
        cell: The cell.
        outputs: Publishers of the cell.
        lock: Held while the cell is changed or read.
        changed: Called when a trial begins: queued messages belong to the previous one.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        cell: Cell,
        outputs: Outputs,
        lock: threading.Lock,
        changed: Callable[[], None],
    ) -> None:
        self._cell, self._outputs, self._lock, self._changed = cell, outputs, lock, changed
        self._base_frame = profile.base_frame
        for kind, name, answer in (
            (TwinTrial, "twin/trial", self._on_trial),
            (TwinTruth, "twin/truth", self._on_truth),
            (InjectFault, "twin/inject_fault", self._on_inject),
            (SwitchController, profile.services.switch_controller, self._on_switch),
            (ListControllers, profile.services.list_controllers, self._on_list),
        ):
            node.create_service(kind, name, answer)

    def _on_trial(self, request: TwinTrial.Request, response: TwinTrial.Response) -> TwinTrial.Response:
        cell = self._cell
        try:
            if request.seed < 0:
                raise RefineryError(f"seed: expected a number >= 0, got {request.seed}")
            if not request.hold_plug:
                raise RefineryError("hold_plug: expected true, the plug is part of the hand in this version")
            grasp = requested_grasp(request.grasp, cell.task)
        except RefineryError as error:
            response.success, response.message = False, f"{error}; nothing was changed"
            return response
        with self._lock:
            self._changed()
            cell.start_trial(request.seed, grasp)
            self._outputs.clear()
            # Nodes that keep the last estimate must not use one of the previous trial.
            self._outputs.estimate_at_once(cell.plant.time_s)
            response.socket_estimate.header.frame_id = self._base_frame
            response.socket_estimate.header.stamp = self._outputs.messages.stamp
            response.socket_estimate.pose = pose_message(cell.trial.estimate(cell.plant.time_s))
        response.success, response.message = True, f"trial {request.seed} is set up, the arm is at home"
        return response

    def _on_truth(self, request: TwinTruth.Request, response: TwinTruth.Response) -> TwinTruth.Response:
        cell = self._cell
        with self._lock:
            truth, seed = cell.trial.truth(cell.plant.plug), cell.trial.draw.seed
        response.strict_success, response.engaged = truth.strict, truth.engaged
        response.depth_m = cell.task.rim_height_m - float(truth.errors.height_m[0])
        response.lateral_error_m = float(truth.errors.lateral_m[0])
        response.angle_error_rad = float(truth.errors.angle_rad[0])
        response.theta_names = list(THETA_NAMES)
        response.theta = truth.theta.tolist() if truth.theta is not None else []
        response.max_force_n = truth.max_contact_force_n
        note = "" if truth.theta is not None else ": no hand-over yet, theta is empty"
        response.success, response.message = True, f"trial {seed}{note}"
        return response

    def _on_inject(self, request: InjectFault.Request, response: InjectFault.Response) -> InjectFault.Response:
        with self._lock:
            faults, now_s = self._cell.faults, self._cell.plant.time_s
            if not request.kind:
                faults.clear()
                self._outputs.clear()
                response.success, response.message, response.begins_s = True, "no faults from now on", now_s
                return response
            try:
                fault = faults.plan(
                    request.kind,
                    request.stream,
                    now_s=now_s,
                    delay_s=request.delay_s,
                    duration_s=request.duration_s,
                    magnitude=request.magnitude,
                )
            except RefineryError as error:
                response.success, response.message = False, f"{error}; nothing was changed"
                return response
        where = f" on {', '.join(fault.streams)}" if fault.streams else ""
        response.success, response.begins_s = True, fault.begins_s
        response.message = f"from {fault.begins_s:.3f} s on{where}: {KINDS[fault.kind].what}"
        return response

    def _on_switch(self, request: SwitchController.Request, response: SwitchController.Response) -> Any:
        # As in ros2_control: unset is best effort, and so are the two AUTO values, which are not implemented.
        strict = request.strictness == SwitchController.Request.STRICT
        with self._lock:
            problem = self._cell.switch(
                list(request.activate_controllers), list(request.deactivate_controllers), strict=strict
            )
        response.ok, response.message = problem is None, problem or ""
        return response

    def _on_list(self, request: ListControllers.Request, response: ListControllers.Response) -> Any:
        with self._lock:
            controllers = self._cell.controllers
            states = controllers.states()
        response.controller = [
            ControllerState(
                name=name,
                state=state,
                type=controllers.types[name],
                claimed_interfaces=list(controllers.interfaces) if state == "active" else [],
                required_command_interfaces=list(controllers.interfaces),
            )
            for name, state in states.items()
        ]
        return response
