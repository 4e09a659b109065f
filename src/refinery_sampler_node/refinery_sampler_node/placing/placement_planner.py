"""Plans the arm's motion to an initial state with MoveIt: up from the socket, across to the stand-off, straight down.

A given pose straight above the present one is reached in one straight line: out of a tray, or away from a part that was
let go. Everything is planned before anything moves, so that a sample that cannot be reached costs no motion. For the
motion up socket and part are not in the planning scene: the part may be in the hole, where it touches the plate by
intention.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from moveit_msgs.msg import PlanningScene

from refinery.errors import RefineryError
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses, angle_between_rad
from refinery.task import Task
from refinery_sampler_node.moveit.client import MoveItClient
from refinery_sampler_node.moveit.error_codes import MoveItError
from refinery_sampler_node.moveit.scene import parting_scene, scene_message
from refinery_sampler_node.moveit.trajectory import Motion, joined
from refinery_sampler_node.moveit.waiting import Tick
from refinery_sampler_node.placing.placement_plan import (
    PlacementPlan,
    PlanSegment,
    RejectedTarget,
    rejection_summary,
)
from refinery_sampler_node.placing.targets import NOWHERE, Target

_MIN_LIFT_M = 1e-3
"""A shorter motion up is left out, [m]."""
_SAME_RAD = 1e-3
"""Joints nearer than this to their goal need no motion, [rad]."""
_ASIDE_M, _TURN_RAD = 0.002, 0.03
"""A given pose less than this aside from the present one and turned by less is straight above it."""


class NoPlanError(RefineryError):
    """None of the initial states can be reached; the message says why for each."""


class PlacementPlanner:
    """Plans placements for one task and arm.

    Args:
        client: Client of MoveIt.
        task: Its socket, and how the part is held.
        part: Shape of the held part.
        profile: The robot profile.
        kinematics: Kinematics of the arm.
        lift_m: Height of the stand-off above an initial state, along the socket's axis, [m].
        clearance_m: Distance of the motion to the stand-off from the socket and its neighbours, [m].
        table_top_m: Height of the table's top in the base frame, [m].
    """

    def __init__(
        self,
        client: MoveItClient,
        task: Task,
        part: PartGeometry,
        profile: RobotProfile,
        kinematics: ArmKinematics,
        *,
        lift_m: float,
        clearance_m: float,
        table_top_m: float,
    ) -> None:
        self._client, self._task, self._part = client, task, part
        self._profile, self._kinematics = profile, kinematics
        self._lift_m, self._clearance_m, self._table_top_m = lift_m, clearance_m, table_top_m

    async def plan(
        self,
        targets: Sequence[Target],
        start_rad: Array,
        socket: Poses | None,
        tick: Tick,
        *,
        patience_s: float,
        empty_hand: bool = False,
    ) -> PlacementPlan:
        """Plan to the first of several targets that can be reached.

        Args:
            targets: The best first, at least one; all with the same grasp.
            start_rad: Present joints of the arm at rest, shape (7,), [rad].
            socket: Socket estimate in the base frame, batch of one; None if there is none.
            tick: Awaited while waiting for MoveIt.
            patience_s: No further target is tried after this time, wall clock, [s].
            empty_hand: The hand holds nothing.

        Returns:
            The plan.

        Raises:
            NoPlanError: None of the targets can be reached.
            MoveItError: A failure that another target would not change.
            NotReadyError: MoveIt does not answer.
        """
        end, rejected, last = time.monotonic() + patience_s, list[RejectedTarget](), None
        if self._is_above(targets[0], start_rad):
            return await self._line(targets[0], start_rad, socket, tick)
        up = () if empty_hand else await self._up(targets, start_rad, socket, tick)
        begin = up[-1].motion.goal_rad if up else start_rad
        exact, padded = (
            scene_message(
                self._task,
                self._part,
                self._profile,
                socket=socket,
                grasp=targets[0].grasp,
                table_top_m=self._table_top_m,
                clearance_m=clearance_m,
                empty_hand=empty_hand,
            )
            for clearance_m in (0.0, self._clearance_m)
        )
        for rank, target in enumerate(targets, start=1):
            if rejected and time.monotonic() > end:
                break
            try:
                standoff, motions = await self._across_and_down(begin, target, exact, padded, tick)
                segment = PlanSegment(motion=joined(motions), scene=exact)
                return PlacementPlan(
                    segments=(*up, segment), target=target, standoff=standoff, rejected=tuple(rejected)
                )
            except MoveItError as error:
                if not error.meaning.try_next:
                    raise
                rejected.append(RejectedTarget(rank=rank, target=target, reason=error.short))
                last = error
        assert last is not None
        if len(targets) == 1:
            raise last
        raise NoPlanError(
            f"MoveIt finds no plan to any of {len(rejected)} initial states: {rejection_summary(rejected)}; "
            f"{last.meaning.advice}"
        )

    async def _up(
        self, targets: Sequence[Target], start_rad: Array, socket: Poses | None, tick: Tick
    ) -> tuple[PlanSegment, ...]:
        """Plan straight up from the socket to the height of the stand-off; empty if the arm is elsewhere or above."""
        lift_m = self._lift_needed_m(targets, start_rad, socket)
        if socket is None or lift_m < _MIN_LIFT_M:
            return ()
        scene = parting_scene(self._task, self._part, self._profile, socket=socket, table_top_m=self._table_top_m)
        await self._client.apply(scene, tick)
        raised = lifted(self._kinematics.forward(start_rad), socket, lift_m)
        motion = await self._client.line(start_rad, raised, tick, what="the motion up from the socket")
        return (PlanSegment(motion=motion, scene=scene),)

    def _is_above(self, target: Target, start_rad: Array) -> bool:
        """Tell whether a target is a given pose straight above the present one."""
        from_up, now = target.up.inverse(), self._kinematics.forward(start_rad)
        aside_x, aside_y, rise_m = ((from_up @ target.tool).pos_m - (from_up @ now).pos_m)[0]
        turn_rad = float(angle_between_rad(now.quat_xyzw, target.tool.quat_xyzw)[0])
        straight = np.hypot(aside_x, aside_y) < _ASIDE_M and turn_rad < _TURN_RAD
        return target.theta is None and bool(straight) and rise_m > _MIN_LIFT_M

    async def _line(self, target: Target, start_rad: Array, socket: Poses | None, tick: Tick) -> PlacementPlan:
        """Plan one straight line up; what stands around the part touches it, or nearly, by intention."""
        scene = parting_scene(
            self._task, self._part, self._profile, socket=socket or NOWHERE, table_top_m=self._table_top_m
        )
        await self._client.apply(scene, tick)
        motion = await self._client.line(start_rad, target.tool, tick, what="the straight motion up to the pose")
        return PlacementPlan(
            segments=(PlanSegment(motion=motion, scene=scene),), target=target, standoff=target.tool, rejected=()
        )

    def _lift_needed_m(self, targets: Sequence[Target], start_rad: Array, socket: Poses | None) -> float:
        if socket is None:
            return 0.0
        tool_from_plug, socket_from_base = self._task.plug.tool_from_plug_at(targets[0].grasp), socket.inverse()
        tip = (socket_from_base @ self._kinematics.forward(start_rad) @ tool_from_plug).pos_m[0]
        reach = self._task.socket.plate_half_size_m + float(np.hypot(*self._part.half_size_m))
        if np.abs(tip[:2]).max() > reach:
            return 0.0
        plugs = [target.tool @ self._task.plug.tool_from_plug_at(target.grasp) for target in targets]
        heights = [(socket_from_base @ plug).pos_m[0, 2] for plug in plugs]
        return max(heights) + self._lift_m - float(tip[2])

    async def _across_and_down(
        self, begin_rad: Array, target: Target, exact: PlanningScene, padded: PlanningScene, tick: Tick
    ) -> tuple[Poses, list[Motion]]:
        await self._client.apply(exact, tick)
        standoff = lifted(target.tool, target.up, self._lift_m)
        # From the goal upwards, so that the arm comes down in the posture that the sampler has checked.
        at_goal = await self._client.inverse(target.tool, target.joints_rad, tick, what="the initial state")
        at_standoff = await self._client.inverse(standoff, at_goal, tick, what="the stand-off above the initial state")
        across = []
        if np.abs(at_standoff - begin_rad).max() > _SAME_RAD:
            # A planner passes obstacles as closely as it may; the padding covers errors of estimate and controller.
            await self._client.apply(padded, tick)
            across.append(await self._client.plan(begin_rad, at_standoff, tick, what="the motion to the stand-off"))
            await self._client.apply(exact, tick)
        down_from = across[-1].goal_rad if across else begin_rad
        down = await self._client.line(down_from, target.tool, tick, what="the motion down to the initial state")
        return standoff, [*across, down]


def lifted(tool: Poses, up: Poses, height_m: float) -> Poses:
    """Return a tool pose moved along the z axis of another pose, all in the base frame, batches of one."""
    return Poses(pos_m=tool.pos_m + height_m * up.rotation.as_matrix()[:, :, 2], quat_xyzw=tool.quat_xyzw)
