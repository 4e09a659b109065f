"""One run of a sequence: phase by phase, each written to the journal before and after, open ones reconciled first."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from refinery.rotations import Poses, angle_between_rad
from refinery.sequence.sequence import Sequence
from refinery.sequence.standing import standing
from refinery.sequence.step import FRAME, StepSpec
from refinery.success import PlugOffset, plug_offset, strict
from refinery.task import Task
from refinery_assembly_node.command import (
    Cell,
    CloseJaws,
    Command,
    CommandStoppedError,
    Insert,
    MoveTool,
    OpenJaws,
    Report,
)
from refinery_assembly_node.journal import Journal
from refinery_assembly_node.phase import End, Ended, Phase, Position
from refinery_assembly_node.program import given_up, next_position
from refinery_assembly_node.seats import as_if_unturned, draw_seed, facing, pose_numbers, pose_of, seat_of

LIFT_M = 0.08
"""How far a part is lifted out of its tray, [m]."""
RETREAT_M = 0.06
"""How far the open hand goes up from a part it has let go of, [m]."""
_NEAR_M, _NEAR_RAD = 0.003, 0.03
"""A tool this near to a goal has reached it."""
_OPENED_M = 0.002
"""Jaws this much short of an opening count as opened, [m]."""
_MOVING = (Phase.REACH, Phase.LIFT, Phase.PLACE, Phase.BACK, Phase.RETREAT)
"""Phases that move the arm along a planned path."""
_HOLDING = (Phase.LIFT, Phase.PLACE, Phase.INSERT, Phase.VERIFY, Phase.BACK)
"""Phases in which the hand holds the part."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """How a run ended."""

    complete: bool
    """Nothing is left to do: every part is seated or was skipped."""
    message: str
    """One sentence."""


class Assembly:
    """Runs a sequence from wherever its journal stands.

    Args:
        sequence: The sequence.
        tasks: Tasks of its steps, by name.
        journal: Its journal.
        run: Name of the run, which the journal knows.
        cell: The cell.
        progress: Called when a phase begins.
    """

    def __init__(
        self,
        sequence: Sequence,
        tasks: Mapping[str, Task],
        journal: Journal,
        run: str,
        cell: Cell,
        progress: Callable[[Position], None] = lambda _position: None,
    ) -> None:
        self._sequence, self._tasks = sequence, tasks
        self._journal, self.run_name, self._cell = journal, run, cell
        self._progress = progress
        self._seed = journal.runs()[run]

    async def run(self) -> Verdict:
        """Go on until the sequence is complete or a step is given up.

        Raises:
            CommandStoppedError: A command was stopped or refused; the run can go on later.
            RefineryError: Something that has to be there is not; the run can go on later.
        """
        if self._next() is not None:
            await self._cell.ready()
        await self._reconcile()
        while (position := self._next()) is not None:
            self._cell.check_cancelled()
            self._journal.intend(self.run_name, position)
            await self._do(position)
        results = self._journal.results(self.run_name)
        stopped = given_up(self._sequence, results)
        if stopped is None:
            return Verdict(complete=True, message=f"run {self.run_name!r}: all steps are done")
        step = self._sequence.steps[stopped]
        last = list(results.values())[-1]
        return Verdict(complete=False, message=f"step {step.name!r}, part {step.part!r}: given up: {last.message}")

    def _next(self) -> Position | None:
        return next_position(self._sequence, self._journal.results(self.run_name))

    async def _do(self, position: Position) -> None:
        """Do a phase whose intent is written down, and write down how it ended."""
        self._progress(position)
        begun_s = self._cell.now_s()
        await self._aim(position)
        if position.phase in _MOVING:
            await self._cell.keep_clear(self._placed(position.step))
        ended = await self._verified(position) if position.phase is Phase.VERIFY else await self._commanded(position)
        if position.phase in _HOLDING and not self._holds(position):
            # Told by the jaws alone: an arm that comes down without its part ends where a seated part would be.
            ended = self._lost()
        self._end(position, ended, self._cell.now_s() - begun_s)

    async def _commanded(self, position: Position) -> Ended:
        if position.phase is not Phase.PLACE:
            command = self._command(position)
            return self._ended(position, await self._cell.run(command, self._send(position)))
        step = self._step(position)
        seed = draw_seed(self._seed, position.step, position.attempt, "place")
        refused: CommandStoppedError | None = None
        for tool in await self._cell.sample(step.task, seed):
            command = MoveTool(tool=tool, task=step.task, empty_hand=False)
            try:
                return self._ended(position, await self._cell.run(command, self._send(position)))
            except CommandStoppedError as error:
                if not error.refused:
                    raise
                refused = error
        raise refused or CommandStoppedError(f"{step.name}: no initial state can be reached", refused=True)

    async def _reconcile(self) -> None:
        """Find out how the phase ended that was begun and has no result, or do it again if that is sound."""
        open_intent = self._journal.open_intent(self.run_name)
        if open_intent is None:
            return
        position, goals = open_intent
        self._progress(position)
        await self._aim(position)
        for goal in reversed(goals):
            # A goal outlives its client: it may still run, or wait with its result.
            report = await self._cell.recover(self._command(position), goal)
            if report is not None and (report.done or position.phase in (Phase.INSERT, Phase.GRASP)):
                return self._end(position, self._ended(position, report), 0.0)
        if position.phase is Phase.INSERT:
            await self._cell.hand_back()
        ended = await self._observed(position)
        if ended is None:
            return await self._do(position)
        return self._end(position, ended, 0.0)

    async def _observed(self, position: Position) -> Ended | None:
        """Judge by gripper and kinematics how an interrupted phase ended; None if it has to be done (again)."""
        step, width_m = self._step(position), self._cell.width_m()
        held, phase = self._holds(position), position.phase
        if phase in _HOLDING and not held:
            return self._lost()
        if phase is Phase.GRASP:
            if held:
                return Ended(end=End.DONE, message="the part was grasped")
            if width_m > step.grasp.held_m:
                return None
            return Ended(end=End.FAILED, message=f"the jaws closed to {1000 * width_m:.1f} mm: the part is not there")
        if phase is Phase.INSERT:
            if _near(self._cell.tool(), self._last_tool(position.step)):
                # It has not begun.
                return None
            seated = bool(strict(await self._offset(position), step.seating)[0])
            message = "found seated" if seated else "found not seated after an interruption"
            return Ended(end=End.DONE if seated else End.FAILED, message=message)
        if phase in (Phase.OPEN, Phase.RELEASE):
            opened = width_m >= step.grasp.open_m - _OPENED_M
            return Ended(end=End.DONE, message="the jaws were opened") if opened else None
        if phase in (Phase.REACH, Phase.LIFT, Phase.BACK, Phase.RETREAT):
            near = _near(self._cell.tool(), self._goal_tool(position))
            return Ended(end=End.DONE, message="the arm had arrived") if near else None
        return None

    def _holds(self, position: Position) -> bool:
        """Tell by the width of the jaws whether they hold the step's part."""
        grasp = self._step(position).grasp
        return abs(self._cell.width_m() - grasp.held_m) <= grasp.epsilon_m

    def _lost(self) -> Ended:
        width_mm = 1000 * self._cell.width_m()
        return Ended(end=End.LOST, message=f"the hand is {width_mm:.1f} mm open and does not hold the part")

    def _ended(self, position: Position, report: Report) -> Ended:
        return Ended(end=End.DONE if report.done else End.FAILED, message=report.message)

    def _end(self, position: Position, ended: Ended, duration_s: float) -> None:
        data = {**ended.data, "duration_s": duration_s}
        if position.phase in (Phase.PLACE, Phase.VERIFY, Phase.BACK):
            data["tool"] = pose_numbers(self._cell.tool())
        self._journal.end(self.run_name, position, Ended(end=ended.end, message=ended.message, data=data))

    def _send(self, position: Position) -> uuid.UUID:
        return self._journal.send(self.run_name, position)

    def _command(self, position: Position) -> Command:
        """Return the command of a phase that has one which follows from the sequence alone."""
        step, grasp = self._step(position), self._step(position).grasp
        if position.phase in (Phase.OPEN, Phase.RELEASE):
            return OpenJaws(width_m=grasp.open_m, speed_m_s=grasp.speed_m_s)
        if position.phase is Phase.GRASP:
            return CloseJaws(
                width_m=grasp.held_m,
                epsilon_m=grasp.epsilon_m,
                speed_m_s=grasp.speed_m_s,
                force_n=grasp.force_n,
            )
        if position.phase in (Phase.INSERT, Phase.VERIFY):
            return Insert(task=step.task)
        empty = position.phase in (Phase.REACH, Phase.RETREAT)
        tool = self._cell.tool() if position.phase is Phase.PLACE else self._goal_tool(position)
        return MoveTool(tool=tool, task=step.task, empty_hand=empty)

    def _goal_tool(self, position: Position) -> Poses:
        """Return where a motion to a known pose ends."""
        step = self._step(position)
        if position.phase is Phase.RETREAT:
            return _raised(self._last_tool(position.step), RETREAT_M)
        in_tray = step.tray.pose() @ self._tasks[step.task].plug.tool_from_plug.inverse()
        return _raised(in_tray, LIFT_M) if position.phase is Phase.LIFT else in_tray

    def _last_tool(self, index: int) -> Poses:
        """Return the tool pose at which a part was placed last, or let go."""
        results = self._journal.results(self.run_name)
        found = [ended.data["tool"] for at, ended in results.items() if at.step == index and "tool" in ended.data]
        return pose_of(found[-1])

    async def _aim(self, position: Position) -> None:
        """Publish where the step's socket is."""
        step = self._step(position)
        if step.socket.mode == FRAME:
            base = await self._cell.base()
            self._cell.aim(base.inverse() @ facing(base @ step.socket.pose(), step), in_base=True)
        else:
            self._cell.aim(await self._seat(position), in_base=False)

    async def _seat(self, position: Position) -> Poses:
        return facing(await self._unturned_seat(position), self._step(position))

    async def _unturned_seat(self, position: Position) -> Poses:
        step = self._step(position)
        base = await self._cell.base() if step.socket.mode == FRAME else self._sequence.base.nominal_pose()
        return seat_of(step, base, self._sitting())

    def _sitting(self) -> dict[str, Poses]:
        """Return earlier parts as they sit, by the arm's kinematics when they were let go."""
        found = {self._sequence.base.part: self._sequence.base.nominal_pose()}
        for position, ended in self._journal.results(self.run_name).items():
            if "part" in ended.data and ended.end is End.DONE:
                found[self._step(position).part] = pose_of(ended.data["part"])
        return found

    def _placed(self, index: int) -> dict[str, Poses]:
        """Return parts of the steps before one as they stand, by the arm's kinematics when they were let go."""
        found = {}
        for at, ended in self._journal.results(self.run_name).items():
            if at.phase is Phase.VERIFY and ended.end is End.DONE and at.step < index:
                step = self._step(at)
                found[step.part] = standing(pose_of(ended.data["tool"]) @ self._tasks[step.task].plug.tool_from_plug)
        return found

    async def _offset(self, position: Position) -> PlugOffset:
        return plug_offset(await self._seat(position), self._part(self._step(position)))

    def _part(self, step: StepSpec) -> Poses:
        """Return the held part by the arm's kinematics."""
        return self._cell.tool() @ self._tasks[step.task].plug.tool_from_plug

    async def _verified(self, position: Position) -> Ended:
        step, offset = self._step(position), await self._offset(position)
        height, lateral, angle = float(offset.height_m[0]), float(offset.lateral_m[0]), float(offset.angle_rad[0])
        seated = bool(strict(offset, step.seating)[0])
        data = {
            "depth_m": self._tasks[step.task].rim_height_m - height,
            "lateral_m": lateral,
            "angle_rad": angle,
            "part": pose_numbers(as_if_unturned(self._part(step), await self._unturned_seat(position), step)),
        }
        message = (
            f"{'seated' if seated else 'not seated'}: {1000 * height:.2f} mm above the seat, "
            f"{1000 * lateral:.2f} mm aside, turned by {angle:.3f} rad"
        )
        return Ended(end=End.DONE if seated else End.FAILED, message=message, data=data)

    def _step(self, position: Position) -> StepSpec:
        return self._sequence.steps[position.step]


def _raised(tool: Poses, height_m: float) -> Poses:
    return Poses(pos_m=np.add(tool.pos_m, [0.0, 0.0, height_m]), quat_xyzw=tool.quat_xyzw)


def _near(tool: Poses, goal: Poses) -> bool:
    distance = float(np.linalg.norm(tool.pos_m - goal.pos_m))
    return distance <= _NEAR_M and float(angle_between_rad(tool.quat_xyzw, goal.quat_xyzw)[0]) <= _NEAR_RAD
