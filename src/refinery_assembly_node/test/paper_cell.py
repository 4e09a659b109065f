"""A cell of plain values, in which a process can crash anywhere: what is done twice, or blindly, fails the test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from refinery.rotations import Poses
from refinery.sequence.sequence import Sequence
from refinery.task import Task
from refinery_assembly_node.command import CloseJaws, Command, CommandStoppedError, Insert, MoveTool, OpenJaws, Report

HOME = Poses.from_xyz_rpy([0.3, 0.0, 0.5], [np.pi, 0.0, 0.0])
BASE = Poses.from_xyz_rpy([0.51, 0.01, 0.1], [0.0, 0.0, 0.1])
_OPEN_M = 0.08


class Crash(Exception):  # noqa: N818
    """The process of the assembly ends here."""


@dataclass
class World:
    """What outlives a crash: parts, arm, gripper, and the servers with their goals."""

    sequence: Sequence
    tasks: dict[str, Task]
    insertions: dict[str, list[bool]] = field(default_factory=dict)
    """Planned outcomes of the insertions of each part, by part; after them all succeed."""
    slips: set[str] = field(default_factory=set)
    """Parts that slip out of the jaws when they are inserted."""
    lost: set[str] = field(default_factory=set)
    forgetful: bool = False
    """Servers forget goals whose client is gone, as after their own restart."""
    tool: Poses = HOME
    width_m: float = _OPEN_M
    held: str | None = None
    handed_back: bool = True
    seated: set[str] = field(default_factory=set)
    known: dict[bytes, Report] = field(default_factory=dict)
    log: list[tuple[str, str]] = field(default_factory=list)
    """Effects in order: what, and with which part."""

    def at_tray(self) -> str | None:
        """Return the part in whose tray the tool is."""
        for step in self.sequence.steps:
            tool = step.tray.pose() @ self.tasks[step.task].plug.tool_from_plug.inverse()
            if np.linalg.norm(tool.pos_m - self.tool.pos_m) < 1e-6:
                return step.part
        return None

    def do(self, command: Command) -> Report:
        """Carry a command out, whole."""
        if isinstance(command, MoveTool):
            assert self.handed_back, "the arm moves while the policy has it"
            assert command.empty_hand == (self.held is None), "planned with the wrong hand"
            self.tool = command.tool
        elif isinstance(command, OpenJaws):
            self._open(command)
        elif isinstance(command, CloseJaws):
            return self._close(command)
        else:
            return self._insert(command)
        return Report(done=True, message="done")

    def _open(self, command: OpenJaws) -> None:
        self.width_m = command.width_m
        if self.held is not None:
            where = "seat" if self.held in self.seated else "tray"
            assert where == "seat" or self.at_tray() == self.held, f"{self.held} was dropped"
            self.log.append((f"let go in its {where}", self.held))
            self.held = None

    def _close(self, command: CloseJaws) -> Report:
        part = self.at_tray()
        assert self.held is None and part is not None, "closed on nothing"
        if part in self.lost:
            self.width_m = 0.0
            return Report(done=False, message="nothing there")
        assert part not in self.seated, f"{part} was fetched though it is seated"
        self.held, self.width_m = part, command.width_m
        self.log.append(("grasp", part))
        return Report(done=True, message="grasped")

    def _insert(self, command: Insert) -> Report:
        part = self.held
        assert part is not None, "inserted an empty hand"
        step = self.sequence.steps[self.sequence.index_of(part)]
        assert step.task == command.task
        planned = self.insertions.get(part, [])
        done = planned.pop(0) if planned else True
        self.log.append(("insert", part))
        seat = self.seat_of(part)
        aside = [[0.0, 0.0, 0.0 if done else 0.02]]
        plug = Poses(pos_m=seat.pos_m + aside, quat_xyzw=seat.quat_xyzw)
        self.tool = plug @ self.tasks[step.task].plug.tool_from_plug.inverse()
        if part in self.slips:
            self.lost.add(part)
            self.held, self.width_m = None, 0.0
        elif done:
            self.seated.add(part)
        return Report(done=done, message="inserted" if done else "not seated")

    def seat_of(self, part: str) -> Poses:
        """Where a part really belongs."""
        return BASE @ self.sequence.nominal_seats()[part]


class PaperCell:
    """The cell as one process sees it.

    Args:
        world: What outlives it.
        point: Called wherever the process may crash.
    """

    def __init__(self, world: World, point: Callable[[], None] = lambda: None) -> None:
        self.world, self._point = world, point
        self.aims: list[tuple[Poses, bool]] = []
        self.kept_clear: list[dict[str, Poses]] = []

    async def ready(self) -> None:
        self._point()

    async def run(self, command: Command, goal: uuid.UUID) -> Report:
        self._point()
        report = self.world.do(command)
        if not self.world.forgetful:
            self.world.known[goal.bytes] = report
        self._point()
        return report

    async def recover(self, command: Command, goal: uuid.UUID) -> Report | None:
        return self.world.known.get(goal.bytes)

    async def sample(self, task: str, seed: int) -> tuple[Poses, ...]:
        rng = np.random.default_rng(seed)
        return (Poses.from_xyz_rpy([0.5, *rng.uniform(-0.01, 0.01, 1), 0.2], [np.pi, 0.0, 0.0]),)

    async def hand_back(self) -> None:
        self.world.handed_back = True

    def aim(self, socket: Poses, *, in_base: bool) -> None:
        self.aims.append((socket, in_base))

    async def keep_clear(self, placed: Mapping[str, Poses]) -> None:
        self.kept_clear.append(dict(placed))

    async def base(self) -> Poses:
        return BASE

    def tool(self) -> Poses:
        return self.world.tool

    def width_m(self) -> float:
        return self.world.width_m

    def now_s(self) -> float:
        return 0.0

    def check_cancelled(self) -> None:
        self._point()


class RefusingCell(PaperCell):
    """Stops every command of one kind."""

    def __init__(self, world: World, kind: type) -> None:
        super().__init__(world)
        self.kind: type | None = kind

    async def run(self, command: Command, goal: uuid.UUID) -> Report:
        if self.kind is not None and isinstance(command, self.kind):
            raise CommandStoppedError("stopped by the test")
        return await super().run(command, goal)
