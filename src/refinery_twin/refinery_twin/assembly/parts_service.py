"""The service ``twin/parts``: where every part really is."""

from __future__ import annotations

import threading

from rclpy.node import Node

from refinery_msgs.msg import PartState
from refinery_msgs.srv import TwinParts
from refinery_ros.conversions import pose_stamped_message
from refinery_twin.assembly.cell import AssemblyCell
from refinery_twin.cell import Cell
from refinery_twin.outputs import Outputs

_IN_TRAY_M = 0.005
"""A part within this of its tray was not taken, [m]."""


class PartsService:
    """Answers at once, under the lock of the physics loop.

    Args:
        node: Gets the service.
        cell: The cell.
        outputs: Has the time stamp of the present state.
        lock: Held while the cell is read.
        frame: The arm's base frame.
    """

    def __init__(self, node: Node, cell: Cell, outputs: Outputs, lock: threading.Lock, frame: str) -> None:
        self._cell, self._outputs, self._lock, self._frame = cell, outputs, lock, frame
        node.create_service(TwinParts, "twin/parts", self._on_parts)

    def _on_parts(self, request: TwinParts.Request, response: TwinParts.Response) -> TwinParts.Response:
        cell = self._cell
        if not isinstance(cell, AssemblyCell):
            response.success, response.message = False, "the twin was started without a sequence"
            return response
        with self._lock:
            response.parts = [self._state(cell, name) for name in cell.plant.parts]
        response.success, response.message = True, f"{len(response.parts)} parts of {cell.sequence.name}"
        return response

    def _state(self, cell: AssemblyCell, name: str) -> PartState:
        truth, part = cell.plant.truth(name), cell.plant.parts[name]
        near = bool(abs(truth.pose.pos_m - part.tray.pos_m).max() < _IN_TRAY_M)
        state = PartState.HELD if cell.plant.held == name else PartState.IN_TRAY if near else PartState.RELEASED
        return PartState(
            part=name,
            state=state,
            seated=truth.seated,
            pose=pose_stamped_message(truth.pose, self._frame, self._outputs.messages.stamp),
            depth_m=truth.depth_m,
            lateral_error_m=float(truth.offset.lateral_m[0]),
            angle_error_rad=float(truth.offset.angle_rad[0]),
        )
