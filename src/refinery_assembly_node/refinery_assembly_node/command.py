"""What the cell is asked to do, and what it reports: plain values between the program and ROS."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from refinery.errors import RefineryError
from refinery.rotations import Poses


@dataclass(frozen=True, kw_only=True)
class OpenJaws:
    """Open the jaws to a width."""

    width_m: float
    """Distance of the pads, [m]."""
    speed_m_s: float
    """Speed of the fingers, [m/s]."""


@dataclass(frozen=True, kw_only=True)
class CloseJaws:
    """Close the jaws on a part."""

    width_m: float
    """Width of the part, [m]."""
    epsilon_m: float
    """Accepted difference from it, [m]."""
    speed_m_s: float
    """Speed of the fingers, [m/s]."""
    force_n: float
    """Grasping force, [N]."""


@dataclass(frozen=True, kw_only=True)
class MoveTool:
    """Move the tool to a pose, around everything."""

    tool: Poses
    """In the arm's base frame, batch of one."""
    task: str
    """Task of the part."""
    empty_hand: bool
    """Nothing is held."""


@dataclass(frozen=True, kw_only=True)
class Insert:
    """Run the policy of a task."""

    task: str
    """Name of the task."""


Command = OpenJaws | CloseJaws | MoveTool | Insert


@dataclass(frozen=True, kw_only=True)
class Report:
    """How a command ended that ran to its end."""

    done: bool
    """It reached its goal."""
    message: str
    """One sentence."""


class CommandStoppedError(RefineryError):
    """A command did not run to its end; what the world looks like has to be found out.

    Args:
        message: One sentence: what happened and what to do.
        cancelled: The client of the assembly asked for it.
        refused: Nothing moved.
    """

    def __init__(self, message: str, *, cancelled: bool = False, refused: bool = False) -> None:
        super().__init__(message)
        self.cancelled, self.refused = cancelled, refused


class Cell(Protocol):
    """The robot cell as the program sees it."""

    async def ready(self) -> None:
        """Wait until everything that commands need is there.

        Raises:
            CommandStoppedError: It is not; nothing moved.
        """

    async def run(self, command: Command, goal: uuid.UUID) -> Report:
        """Do a command under an id of its goal.

        Raises:
            CommandStoppedError: It did not run to its end.
        """

    async def recover(self, command: Command, goal: uuid.UUID) -> Report | None:
        """Wait for the end of a goal that was sent before; None if nobody knows it any more, or it was stopped."""

    async def sample(self, task: str, seed: int) -> tuple[Poses, ...]:
        """Choose initial states of the insertion, the best first: poses of the tool that holds the part as intended.

        Raises:
            RefineryError: There is none.
        """

    async def hand_back(self) -> None:
        """Give the arm back to the trajectory controller, if it is not there, and get the policy ready to run again.

        A stop that only a person may end stays.

        Raises:
            RefineryError: It is not there.
        """

    def aim(self, socket: Poses, *, in_base: bool) -> None:
        """Publish a socket pose from now on.

        Args:
            socket: Batch of one.
            in_base: In the frame of the assembly's base, wherever that is estimated; otherwise in the arm's base frame.
        """

    async def keep_clear(self, placed: Mapping[str, Poses]) -> None:
        """Plan motions around parts from now on, and around no other part of the sequence.

        Args:
            placed: Tip frames in the arm's base frame by part, each a batch of one.

        Raises:
            CommandStoppedError: The planner did not take them; nothing moved.
        """

    async def base(self) -> Poses:
        """Pose of the assembly's base in the arm's base frame, averaged over estimates.

        Raises:
            RefineryError: There is no estimate.
        """

    def tool(self) -> Poses:
        """Measured pose of the tool in the arm's base frame.

        Raises:
            RefineryError: There is no fresh measurement.
        """

    def width_m(self) -> float:
        """Measured distance of the pads, [m].

        Raises:
            RefineryError: There is no fresh measurement.
        """

    def now_s(self) -> float:
        """Time of the cell, [s]."""

    def check_cancelled(self) -> None:
        """Raise :class:`CommandStoppedError` if the assembly is to end."""
