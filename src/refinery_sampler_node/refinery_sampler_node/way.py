"""The way of the arm to an initial state, asked of MoveIt: up from the socket, over to the stand-off, straight down.

All of it is planned before anything moves, so that a sample that cannot be reached costs no motion. On the way up
socket and part are not in the planning scene: the part may be in the hole, and there it touches the plate by intention.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from moveit_msgs.msg import PlanningScene
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.kinematics import ArmKinematics
from refinery.part import PartGeometry
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import Task
from refinery_sampler_node.moveit.client import MoveItClient
from refinery_sampler_node.moveit.error_codes import MoveItError
from refinery_sampler_node.moveit.scene import parting_scene, scene_message
from refinery_sampler_node.moveit.trajectory import Motion, joined
from refinery_sampler_node.moveit.waiting import Tick
from refinery_sampler_node.targets import Target

Array = NDArray[np.float64]

_LEAST_M = 1e-3
"""A shorter way up is none."""
_SAME_RAD = 1e-3
"""Joints nearer than this to where they should go need no motion."""


class NoWayError(RefineryError):
    """None of the initial states can be reached; the message says of each why."""


@dataclass(frozen=True, kw_only=True)
class TurnedDown:
    """An initial state that MoveIt has no way to."""

    rank: int
    """Its place among the samples, from 1."""
    target: Target
    """Where it is."""
    reason: str
    """Why there is no way, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Leg:
    """A part of the way, from rest to rest."""

    motion: Motion
    """What to execute."""
    scene: PlanningScene
    """Planning scene that it was planned in."""


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way that can be executed."""

    legs: tuple[Leg, ...]
    """To be executed one after the other: up, unless the arm is clear of the socket, then over and down."""
    target: Target
    """Where it leads."""
    above: Poses
    """Tool pose at the stand-off, base frame, batch of one."""
    turned_down: tuple[TurnedDown, ...]
    """What was tried before."""

    @property
    def duration_s(self) -> float:
        """Time that its motions take, [s]."""
        return sum(leg.motion.duration_s for leg in self.legs)


class WayFinder:
    """Plans ways for one task and arm.

    Args:
        client: Of MoveIt.
        task: Its socket, and how the part is held.
        part: Shape of the held part.
        profile: Of the robot.
        kinematics: Of the arm.
        lift_m: Height of the stand-off above an initial state, along the socket's axis, [m].
        clearance_m: How far the way to the stand-off stays from the socket and what stands around it, [m].
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

    async def find(
        self, targets: Sequence[Target], start_rad: Array, socket: Poses | None, tick: Tick, *, patience_s: float
    ) -> Way:
        """Plan the way to the first of several targets that there is a way to.

        Args:
            targets: The best first, at least one; all with the part held the same way.
            start_rad: Where the arm is, at rest, shape (7,), [rad].
            socket: Socket estimate in the base frame, batch of one; none if there is none.
            tick: Awaited between looks.
            patience_s: No further target is tried after this time, wall clock, [s].

        Returns:
            The way.

        Raises:
            NoWayError: To none of them.
            MoveItError: What another target would not change.
            NotReadyError: MoveIt does not answer.
        """
        end, turned_down, last = time.monotonic() + patience_s, list[TurnedDown](), None
        up = await self._up(targets, start_rad, socket, tick)
        begin = up[-1].motion.goal_rad if up else start_rad
        scene, roomy = (
            scene_message(
                self._task,
                self._part,
                self._profile,
                socket=socket,
                grasp=targets[0].grasp,
                table_top_m=self._table_top_m,
                clearance_m=clearance_m,
            )
            for clearance_m in (0.0, self._clearance_m)
        )
        for rank, target in enumerate(targets, start=1):
            if turned_down and time.monotonic() > end:
                break
            try:
                above, motions = await self._over_and_down(begin, target, scene, roomy, tick)
                leg = Leg(motion=joined(motions), scene=scene)
                return Way(legs=(*up, leg), target=target, above=above, turned_down=tuple(turned_down))
            except MoveItError as error:
                if not error.verdict.another:
                    raise
                turned_down.append(TurnedDown(rank=rank, target=target, reason=error.short))
                last = error
        assert last is not None
        if len(targets) == 1:
            raise last
        raise NoWayError(
            f"MoveIt has no way to any of {len(turned_down)} initial states: {reasons_of(turned_down)}; "
            f"{last.verdict.advice}"
        )

    async def _up(
        self, targets: Sequence[Target], start_rad: Array, socket: Poses | None, tick: Tick
    ) -> tuple[Leg, ...]:
        """Straight up from the socket to the height of the stand-off; nothing if the arm is elsewhere or above."""
        lift = self._missing_height_m(targets, start_rad, socket)
        if socket is None or lift < _LEAST_M:
            return ()
        scene = parting_scene(self._task, self._part, self._profile, socket=socket, table_top_m=self._table_top_m)
        await self._client.apply(scene, tick)
        raised = lifted(self._kinematics.forward(start_rad), socket, lift)
        motion = await self._client.line(start_rad, raised, tick, what="the way up from the socket")
        return (Leg(motion=motion, scene=scene),)

    def _missing_height_m(self, targets: Sequence[Target], start_rad: Array, socket: Poses | None) -> float:
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

    async def _over_and_down(
        self, begin_rad: Array, target: Target, scene: PlanningScene, roomy: PlanningScene, tick: Tick
    ) -> tuple[Poses, list[Motion]]:
        await self._client.apply(scene, tick)
        above = lifted(target.tool, target.up, self._lift_m)
        # From the goal upwards, so that the arm comes down in the posture that the sampler has checked.
        at_goal = await self._client.inverse(target.tool, target.joints_rad, tick, what="the initial state")
        at_above = await self._client.inverse(above, at_goal, tick, what="the stand-off above the initial state")
        over = []
        if np.abs(at_above - begin_rad).max() > _SAME_RAD:
            # A planner cuts corners as closely as it may: here as closely as estimate and controller are true.
            await self._client.apply(roomy, tick)
            over.append(await self._client.plan(begin_rad, at_above, tick, what="the way to the stand-off"))
            await self._client.apply(scene, tick)
        down_from = over[-1].goal_rad if over else begin_rad
        down = await self._client.line(down_from, target.tool, tick, what="the way down to the initial state")
        return above, [*over, down]


def lifted(tool: Poses, up: Poses, height_m: float) -> Poses:
    """Return a tool pose moved along the z axis of another pose, all in the base frame, batches of one."""
    return Poses(pos_m=tool.pos_m + height_m * up.rotation.as_matrix()[:, :, 2], quat_xyzw=tool.quat_xyzw)


def reasons_of(turned_down: Sequence[TurnedDown]) -> str:
    """List why initial states were turned down, equal reasons together."""
    ranks: dict[str, list[str]] = {}
    for each in turned_down:
        ranks.setdefault(each.reason, []).append(str(each.rank))
    return "; ".join(f"sample {', '.join(numbers)}: {reason}" for reason, numbers in ranks.items())
