"""The cell behind ROS: placements, insertions and the gripper, and what is measured of them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import franka_msgs.action
import numpy as np
from franka_msgs.msg import GraspEpsilon
from geometry_msgs.msg import PoseStamped
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState
from moveit_msgs.srv import ApplyPlanningScene
from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

import refinery_msgs.action
from refinery.bringup.middleware import ASK_AGAIN_S
from refinery.errors import NotReadyError
from refinery.initial_state import GRASP, GRASP_NAMES
from refinery.part import PartGeometry
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import Task
from refinery_assembly_node.action_goals import ActionGoals
from refinery_assembly_node.base_estimate import BaseEstimate
from refinery_assembly_node.command import (
    CloseJaws,
    Command,
    CommandStoppedError,
    Insert,
    MoveTool,
    OpenJaws,
    Report,
)
from refinery_assembly_node.parameters import AssemblyParameters
from refinery_assembly_node.placed_parts import placed_parts
from refinery_assembly_node.reports import report_of
from refinery_msgs.msg import GuardReason, PolicyStatus
from refinery_msgs.srv import SampleInit
from refinery_ros import qos
from refinery_ros.controller_switch import ControllerSwitch
from refinery_ros.conversions import clock_seconds, pose_from_message, pose_stamped_message
from refinery_ros.polled_subscription import PolledSubscription

_BASE_S = 30.0
"""Longest wait for estimates of the base, wall clock, [s]."""
_SWITCH_S = 5.0
_REARMED = (GuardReason.SOCKET_ESTIMATE_LOST, GuardReason.OUT_OF_DISTRIBUTION)
"""Stops after which an insertion may be begun anew without a person: this node was gone, or the policy met what it does
not know, which another initial state may avoid. The policy node refuses to be re-armed while the cause can be seen."""


class RosCell:
    """Implements :class:`refinery_assembly_node.command.Cell`.

    Args:
        node: Gets all connections.
        profile: Names of actions, topics and frames.
        tasks: Tasks of the sequence, by name.
        shapes: Of its parts, by part.
        parameters: Of the node.
        tick: Awaited while waiting.
        stopped: Says why the assembly is to end; None while it is not.
    """

    def __init__(
        self,
        node: Node,
        profile: RobotProfile,
        tasks: dict[str, Task],
        shapes: dict[str, PartGeometry],
        parameters: AssemblyParameters,
        *,
        tick: Callable[[], Awaitable[None]],
        stopped: Callable[[], str | None],
    ) -> None:
        self._node, self._profile, self._tasks, self._parameters = node, profile, tasks, parameters
        self._shapes, self._tick, self._stopped = shapes, tick, stopped
        self.estimate = BaseEstimate(node, profile, parameters)
        """Estimates of the base, and the published socket pose."""
        self._socket = Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
        self._in_base = False
        kinds: dict[type, tuple[Any, str]] = {
            OpenJaws: (franka_msgs.action.Move, profile.gripper_move),
            CloseJaws: (franka_msgs.action.Grasp, profile.gripper_grasp),
            MoveTool: (refinery_msgs.action.Place, "place"),
            Insert: (refinery_msgs.action.Insert, "insert"),
        }
        self._goals = {
            command: ActionGoals(
                node,
                kind,
                name,
                tick=tick,
                cancelled=lambda: stopped() is not None,
                answer_s=parameters.server_timeout_s,
            )
            for command, (kind, name) in kinds.items()
        }
        self._sample = node.create_client(SampleInit, "sample_init")
        self._scene = node.create_client(ApplyPlanningScene, profile.moveit.apply_planning_scene)
        policy = parameters.policy_node
        self._policy = PolledSubscription(node, f"{policy}/status", PolicyStatus, qos.STATUS, "policy node")
        self._rearming = node.create_client(Trigger, f"{policy}/rearm")
        self._states = [node.create_client(GetState, f"{name}/get_state") for name in (parameters.sampler_node, policy)]
        self._switch = ControllerSwitch(node, profile, _SWITCH_S)
        self._pose = PolledSubscription(node, profile.pose_topic, PoseStamped, qos.SENSOR, "robot")
        jaws = f"{profile.gripper_namespace}/joint_states"
        self._jaws = PolledSubscription(node, jaws, JointState, qos.SENSOR, "gripper")

    def destroy(self) -> None:
        """End all connections."""
        for goals in self._goals.values():
            goals.destroy()
        for client in (self._sample, self._scene, self._rearming, *self._states):
            self._node.destroy_client(client)
        self._policy.destroy()
        self._switch.destroy()
        self._pose.destroy()
        self._jaws.destroy()
        self.estimate.destroy()

    async def ready(self) -> None:
        """Wait until sampler and policy node are active: right after a start they may still load their bundles."""
        longest_s = self._parameters.ready_timeout_s
        end_s = time.monotonic() + longest_s
        for client in self._states:
            state = None
            while state is None or state.id != State.PRIMARY_STATE_ACTIVE:
                if time.monotonic() > end_s:
                    raise CommandStoppedError(
                        f"{client.srv_name}: expected an active node within {longest_s:g} s, got "
                        f"{state.label if state else 'no answer'}; its log says why",
                        refused=True,
                    )
                self.check_cancelled()
                answer = await self._asked(client, GetState.Request(), min(end_s, time.monotonic() + ASK_AGAIN_S))
                state = None if answer is None else answer.current_state
                await self._tick()

    async def run(self, command: Command, goal: uuid.UUID) -> Report:
        """Do a command under an id of its goal; see :class:`~refinery_assembly_node.command.Cell`."""
        self.check_cancelled()
        if isinstance(command, Insert):
            await self._rearm()
        # Jaws that are half open hold nothing for sure: their goals run to their end.
        cancellable = isinstance(command, MoveTool | Insert)
        result = await self._goals[type(command)].run(self._message(command), goal, cancellable=cancellable)
        return report_of(command, result, stopped=self._stopped() is not None)

    async def recover(self, command: Command, goal: uuid.UUID) -> Report | None:
        """Wait for the end of a goal that was sent before."""
        result = await self._goals[type(command)].recover(goal)
        if result is None:
            return None
        try:
            return report_of(command, result, stopped=self._stopped() is not None)
        except CommandStoppedError as error:
            self._node.get_logger().info(f"a goal from before: {error}")
            return None

    async def sample(self, task: str, seed: int) -> tuple[Poses, ...]:
        """Choose initial states, for a part that is held as intended."""
        socket = (await self.base() @ self._socket) if self._in_base else self._socket
        request = SampleInit.Request(task=task, count=self._parameters.initial_states, seed=seed)
        request.socket_pose = self._stamped(socket)
        answer = await self._answer(self._sample, request)
        if not answer.success:
            raise CommandStoppedError(f"{self._sample.srv_name}: {answer.message}", refused=True)
        plug = self._tasks[task].plug
        names = list(answer.theta_names)
        theta = np.asarray(answer.theta).reshape(len(answer.poses), len(names))
        if names[GRASP] != list(GRASP_NAMES):
            raise CommandStoppedError(f"{self._sample.srv_name}: expected a grasp, got {names}", refused=True)
        # The state of the part counts; how it sits in the hand was decided in its tray.
        parts = [
            pose_from_message(pose.pose) @ plug.tool_from_plug_at(row[None, GRASP])
            for pose, row in zip(answer.poses, theta, strict=True)
        ]
        return tuple(part @ plug.tool_from_plug.inverse() for part in parts)

    async def hand_back(self) -> None:
        """Give the arm back to the trajectory controller, if it is not there."""
        if problem := await self._switch.switch(impedance=False):
            raise NotReadyError(f"the arm was not handed back: {problem}")
        await self._rearm()

    async def _rearm(self) -> None:
        """Re-arm the policy node after a stop that needs no person, and only then."""
        status = self._policy.poll()
        if status is None or status.state != PolicyStatus.STOPPED or status.reason.value not in _REARMED:
            return
        message, end_s = status.reason.message, time.monotonic() + self._parameters.server_timeout_s
        while time.monotonic() < end_s:
            answer = await self._answer(self._rearming, Trigger.Request())
            if answer.success:
                self._node.get_logger().info(f"re-armed the policy node after: {message}")
                return
            message = answer.message
        raise NotReadyError(f"{self._rearming.srv_name}: {message}")

    def aim(self, socket: Poses, *, in_base: bool) -> None:
        """Publish a socket pose from now on."""
        self._socket, self._in_base = socket, in_base
        self.estimate.aim(socket, in_base=in_base)

    async def keep_clear(self, placed: Mapping[str, Poses]) -> None:
        """Plan motions around placed parts from now on."""
        # Every time: move_group may have been started anew.
        scene = placed_parts(self._shapes, placed, self._profile.base_frame)
        answer = await self._answer(self._scene, ApplyPlanningScene.Request(scene=scene))
        if not answer.success:
            name, frame = self._scene.srv_name, self._profile.base_frame
            raise CommandStoppedError(
                f"{name}: move_group refused the placed parts; does it know the frame {frame!r}? Its log says more",
                refused=True,
            )

    async def base(self) -> Poses:
        """Pose of the assembly's base, averaged over estimates."""
        end_s = time.monotonic() + _BASE_S
        while not self.estimate.full and time.monotonic() < end_s:
            await self._tick()
        return self.estimate.mean()

    def tool(self) -> Poses:
        """Measured pose of the tool."""
        message = self._pose.fresh(self._parameters.state_max_age_s)
        frame = message.header.frame_id
        if frame != self._profile.base_frame:
            raise NotReadyError(f"{self._pose.name}: expected the frame {self._profile.base_frame!r}, got {frame!r}")
        return pose_from_message(message.pose)

    def width_m(self) -> float:
        """Measured distance of the pads, [m]: both fingers move by half of it."""
        message = self._jaws.fresh(self._parameters.state_max_age_s)
        if len(message.position) != 2 or not np.isfinite(message.position).all():
            raise NotReadyError(f"{self._jaws.name}: expected two finite positions, got {list(message.position)}")
        return float(sum(message.position))

    def now_s(self) -> float:
        """Time of the node's clock, [s]."""
        return clock_seconds(self._node)

    def check_cancelled(self) -> None:
        """Raise :class:`CommandStoppedError` if the assembly is to end."""
        reason = self._stopped()
        if reason is not None:
            raise CommandStoppedError(reason, cancelled=True)

    def _stamped(self, pose: Poses) -> PoseStamped:
        return pose_stamped_message(pose, self._profile.base_frame, self._node.get_clock().now().to_msg())

    async def _answer(self, client: Any, request: Any) -> Any:
        """Return the answer of a service that may be asked twice."""
        end_s = time.monotonic() + self._parameters.server_timeout_s
        while (now_s := time.monotonic()) < end_s:
            answer = await self._asked(client, request, min(end_s, now_s + ASK_AGAIN_S))
            if answer is not None:
                return answer
        raise CommandStoppedError(f"{client.srv_name}: no answer; is its node running?", refused=True)

    async def _asked(self, client: Any, request: Any, end_s: float) -> Any:
        """Ask once; returns the answer, or None if there is none in time."""
        future = client.call_async(request)
        while not future.done():
            if time.monotonic() > end_s:
                client.remove_pending_request(future)
                return None
            await self._tick()
        return future.result()

    def _message(self, command: Command) -> Any:
        if isinstance(command, OpenJaws):
            return franka_msgs.action.Move.Goal(width=command.width_m, speed=command.speed_m_s)
        if isinstance(command, CloseJaws):
            return franka_msgs.action.Grasp.Goal(
                width=command.width_m,
                epsilon=GraspEpsilon(inner=command.epsilon_m, outer=command.epsilon_m),
                speed=command.speed_m_s,
                force=command.force_n,
            )
        if isinstance(command, Insert):
            return refinery_msgs.action.Insert.Goal(task=command.task)
        return refinery_msgs.action.Place.Goal(
            use_pose=True,
            pose=self._stamped(command.tool),
            empty_hand=command.empty_hand,
            task=command.task,
            max_duration_s=self._parameters.motion_timeout_s,
        )
