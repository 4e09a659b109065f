"""Has the recorder keep one bag a trial; a recorder that fails is reported and never stops a trial."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from rclpy.node import Node
from rclpy.task import Future

from refinery.bringup.node_spec import NodeSpec
from refinery.config import check
from refinery.errors import NotReadyError
from refinery_msgs.srv import RecordBag

RECORDER = "refinery_recorder"
"""Name of the recorder's node."""
BAGS = "bags"
"""Folder of the bags in that of an evaluation."""
Record = Literal["all", "failures", "off"]
"""Which trials are recorded: all, only the last seconds of those that fail, or none."""
_APPEAR_S, _ANSWER_S = 3.0, 10.0


class TrialRecorder(Protocol):
    """Records trials."""

    def begin(self, number: int, attempt: int) -> None:
        """A trial begins."""

    def end(self, success: bool) -> str:
        """It has ended; returns its bag relative to the evaluation's folder, empty if there is none."""


class NoRecorder:
    """Records nothing."""

    def begin(self, number: int, attempt: int) -> None:
        """Do nothing."""

    def end(self, success: bool) -> str:
        """Return no bag."""
        return ""


class BagRecorder:
    """Client of the recorder's node.

    Args:
        node: The client's node, in the namespace of the cell.
        answer: Spins it until an answer is there.
        folder: Of the evaluation.
        record: Which trials are recorded.
        say: Takes a line for the terminal.
    """

    def __init__(
        self,
        node: Node,
        answer: Callable[[Future, float, str], Any],
        folder: Path,
        record: Record,
        say: Callable[[str], None] = print,
    ) -> None:
        check(record in get_args(Record), "record", f"one of {', '.join(get_args(Record))}", record)
        self._client = node.create_client(RecordBag, f"{RECORDER}/record")
        self._answer, self._folder, self._ring, self._say = answer, folder.absolute(), record == "failures", say
        self._bag = ""

    def begin(self, number: int, attempt: int) -> None:
        """See :class:`TrialRecorder`."""
        again = f"_{attempt}" if attempt > 1 else ""
        self._bag = f"{BAGS}/trial_{number + 1:04d}{again}"
        self._ask(RecordBag.Request(bag=str(self._folder / self._bag), ring=self._ring))

    def end(self, success: bool) -> str:
        """See :class:`TrialRecorder`."""
        keep = not (self._ring and success)
        return self._bag if self._ask(RecordBag.Request(keep=keep)) and keep else ""

    def _ask(self, request: RecordBag.Request) -> bool:
        """Ask the recorder; returns whether there is a bag, whole or not."""
        try:
            if not self._client.service_is_ready() and not self._client.wait_for_service(_APPEAR_S):
                raise NotReadyError(f"{self._client.srv_name} is not there; see the recorder's log")
            response = self._answer(self._client.call_async(request), _ANSWER_S, self._client.srv_name)
        except NotReadyError as error:
            self._say(f"no recording: {error}")
            return False
        if not response.success:
            self._say(f"{self._bag} is not whole ({response.lost} messages lost): {response.message}")
        return bool(response.messages)


def recorder_spec(profile: str, folder: Path) -> NodeSpec:
    """Describe the recorder's node; without it trials go on.

    Args:
        profile: Of the robot, whose topics are recorded.
        folder: Of the evaluation; bags that a killed recorder left there are recovered.
    """
    return NodeSpec(
        package="refinery_evaluation",
        executable="recorder_node",
        name=RECORDER,
        parameters={"robot_profile": profile, "recover": str(folder.absolute() / BAGS)},
        declaration="refinery_evaluation.recording.node:RecorderParameters",
        required=False,
    )
