"""franka_gripper's interface: the actions homing, move and grasp, the service stop, and the fingers' joint states."""

from __future__ import annotations

import threading
from typing import Any

from franka_msgs.action import Grasp, Homing, Move
from rclpy.action import ActionServer
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node
from rclpy.task import Future
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from refinery.errors import RefineryError
from refinery.robot_profile import RobotProfile
from refinery_ros import qos
from refinery_twin.assembly.cell import AssemblyCell
from refinery_twin.assembly.gripper import Gripper, JawAction, JawCommand
from refinery_twin.outputs import Outputs

_PERIOD_S = 1.0 / 30.0
"""Between two joint states, [s] of simulated time; the real one sends 15 a second or 30."""


class GripperServer:
    """Serves the gripper; the physics' loop calls :meth:`update` after every state.

    Args:
        node: Gets the servers.
        profile: Namespace of the gripper and names of the arm's joints.
        cell: The cell.
        outputs: Has the time stamp of the present state.
        lock: Held while the cell is changed or read; the loop holds it when it calls :meth:`update`.
    """

    def __init__(
        self, node: Node, profile: RobotProfile, cell: AssemblyCell, outputs: Outputs, lock: threading.Lock
    ) -> None:
        self._node, self._cell, self._outputs, self._lock = node, cell, outputs, lock
        self._gripper = Gripper(cell.plant)
        self._ending: Future | None = None
        prefix = profile.joint_names[0].rpartition("joint")[0]
        self._names = [f"{prefix}finger_joint{number}" for number in (1, 2)]
        self._out = node.create_publisher(JointState, f"{profile.gripper_namespace}/joint_states", qos.JOINT_STATES)
        self._due_s = 0.0
        actions = {Homing: profile.gripper_homing, Move: profile.gripper_move, Grasp: profile.gripper_grasp}
        for kind, name in actions.items():
            ActionServer(node, kind, name, self._execute)
        node.create_service(Trigger, f"{profile.gripper_namespace}/stop", self._on_stop)

    def update(self) -> None:
        """Advance the jaws and publish them; the lock is held."""
        ended = self._gripper.update()
        if ended is not None:
            self._end(*ended)
        now_s = self._cell.plant.time_s
        if now_s >= self._due_s:
            self._due_s = now_s + _PERIOD_S
            half_m = self._gripper.width_m / 2
            message = JointState(name=self._names, position=[half_m, half_m], velocity=[0.0, 0.0], effort=[0.0, 0.0])
            message.header.stamp = self._outputs.messages.stamp
            self._out.publish(message)

    def reset(self) -> None:
        """End a command in progress, as a new trial does."""
        if self._ending is not None:
            self._end(False, "a new trial was begun")
        self._gripper = Gripper(self._cell.plant)

    async def _execute(self, handle: ServerGoalHandle) -> Any:
        success, error = await self._done(handle.request)
        kind: Any = {Homing.Goal: Homing, Move.Goal: Move, Grasp.Goal: Grasp}[type(handle.request)]
        if success:
            handle.succeed()
        else:
            self._node.get_logger().warning(f"gripper: {error}")
            handle.abort()
        return kind.Result(success=success, error=error)

    async def _done(self, goal: Any) -> tuple[bool, str]:
        ending = Future(executor=self._node.executor)
        # Any callback makes the executor wake up when the loop's thread sets the result.
        ending.add_done_callback(lambda _: None)
        with self._lock:
            try:
                self._gripper.begin(_command(goal))
            except RefineryError as error:
                return False, str(error)
            self._ending = ending
        result: tuple[bool, str] = await ending
        return result

    def _end(self, success: bool, error: str) -> None:
        ending, self._ending = self._ending, None
        assert ending is not None
        ending.set_result((success, error))

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        with self._lock:
            response.success = self._gripper.stop()
            if response.success:
                self._end(False, "stopped")
        response.message = "stopped" if response.success else "nothing was moving"
        return response


def _command(goal: Any) -> JawCommand:
    if isinstance(goal, Homing.Goal):
        return JawCommand(action=JawAction.HOMING)
    if isinstance(goal, Move.Goal):
        return JawCommand(action=JawAction.MOVE, width_m=goal.width, speed_m_s=goal.speed)
    return JawCommand(
        action=JawAction.GRASP,
        width_m=goal.width,
        speed_m_s=goal.speed,
        epsilon_m=(goal.epsilon.inner, goal.epsilon.outer),
        force_n=goal.force,
    )
