"""One outgoing stream of messages, changed by the active faults."""

from __future__ import annotations

import copy
from collections import deque
from typing import Any

from refinery_twin.faults.corrupt import corrupt
from refinery_twin.faults.kinds import KINDS
from refinery_twin.faults.schedule import Fault


class FaultyStream:
    """Decides what is published instead of each message.

    Args:
        name: Name of the stream.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._late: deque[tuple[float, Any]] = deque()
        self._frozen: Any = None
        self._kept_back: Any = None
        self._seen: dict[Fault, int] = {}

    def clear(self) -> None:
        """Drop messages that are delayed, frozen or held back."""
        self._late.clear()
        self._frozen = self._kept_back = None

    def replace(self, message: Any, faults: list[Fault], now_s: float) -> list[Any]:
        """Return the messages to publish now, in order.

        Args:
            message: What would be published; it is not changed and not kept, so that it may be used again.
            faults: The faults that are on.
            now_s: Simulated time, [s].

        Returns:
            Messages of the same type.
        """
        mine = self._striking([fault for fault in faults if self._name in fault.streams])
        if not mine and not self._late and self._kept_back is None:
            self._frozen = None
            return [message]
        changed = copy.deepcopy(message)
        kinds = {fault.kind: fault for fault in mine}
        for fault in mine:
            corrupt(changed, fault, now_s)
        if "freeze" in kinds:
            self._frozen = changed if self._frozen is None else self._frozen
            changed = copy.deepcopy(self._frozen)
        else:
            self._frozen = None
        out = [] if "drop" in kinds else self._swapped(changed, swap="reorder" in kinds)
        return self._delayed(out, kinds.get("delay"), now_s)

    def _striking(self, mine: list[Fault]) -> list[Fault]:
        """Count this message for the active faults, and return those that affect it."""
        self._seen = {fault: self._seen.get(fault, 0) + 1 for fault in mine}
        return [fault for fault, count in self._seen.items() if count % KINDS[fault.kind].every == 0]

    def _swapped(self, message: Any, *, swap: bool) -> list[Any]:
        before, self._kept_back = self._kept_back, None
        if before is not None:
            return [message, before]
        if swap:
            self._kept_back = message
            return []
        return [message]

    def _delayed(self, messages: list[Any], fault: Fault | None, now_s: float) -> list[Any]:
        if fault is None:
            # Delayed messages were overtaken and count as lost by the network.
            self._late.clear()
            return messages
        self._late.extend((now_s + fault.magnitude, message) for message in messages)
        due = []
        while self._late and self._late[0][0] <= now_s:
            due.append(self._late.popleft()[1])
        return due
