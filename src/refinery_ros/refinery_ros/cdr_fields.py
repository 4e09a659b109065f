"""A few fields of a serialized message, read without making the message.

rclpy makes a Python object of every field, which takes half a millisecond for a message of hundreds. Here the way
through the serialized form (CDR, as every ROS 2 middleware sends it) is worked out once per type, in as few steps as
its strings and sequences allow.
"""

from __future__ import annotations

import importlib
import re
import struct
from collections.abc import Iterator, Sequence
from typing import Any

_FORMATS = {
    **dict.fromkeys(("boolean",), "?"),
    **dict.fromkeys(("octet", "uint8", "char"), "B"),
    **{"int8": "b", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q"},
    **{"float": "f", "double": "d"},
}
_TYPE = re.compile(r"(sequence<)?([\w/]+)(?:<\d+>)?(?:, \d+)?>?(?:\[(\d+)\])?")
_HEADER = 4
"""Bytes before the message that say how it is serialized; alignment counts from after them."""
_LITTLE_ENDIAN = b"\x00\x01"
_COUNT = struct.Struct("<I")

Take = tuple[str, int, struct.Struct]
"""Name of a field, its place in a block, and how to read it there."""


class Block:
    """Fields of fixed sizes, one after the other.

    Args:
        align: Alignment of the first of them, which no later one exceeds.
    """

    def __init__(self, align: int) -> None:
        self.align, self.size = align, 0
        self.takes: list[Take] = []

    def skip(self, offset: int, data: bytes) -> int:
        """Return the offset after it."""
        return -(-offset // self.align) * self.align + self.size


class Strings:
    """Strings, one after the other: so many, or as many as a count before them says (None)."""

    def __init__(self, count: int | None) -> None:
        self._count = count

    def skip(self, offset: int, data: bytes) -> int:
        """Return the offset after them."""
        count = self._count
        if count is None:
            offset = -(-offset // 4) * 4
            count = _COUNT.unpack_from(data, _HEADER + offset)[0]
            offset += 4
        for _ in range(count):
            offset = -(-offset // 4) * 4
            offset += 4 + _COUNT.unpack_from(data, _HEADER + offset)[0]
        return offset


class Numbers:
    """A sequence of numbers of some size."""

    def __init__(self, size: int) -> None:
        self._size = size

    def skip(self, offset: int, data: bytes) -> int:
        """Return the offset after it."""
        offset = -(-offset // 4) * 4
        count = _COUNT.unpack_from(data, _HEADER + offset)[0]
        offset += 4
        return -(-offset // self._size) * self._size + count * self._size if count else offset


class CdrFields:
    """Reads some numbers of one message type.

    Args:
        kind: The message type.
        wanted: Dotted names of fields of numbers; ``name.*`` stands for all of a nested message.

    Raises:
        ValueError: A field is none of the type's, or the type has what is not read here: sequences of messages and
            wide strings.
    """

    def __init__(self, kind: type[Any], wanted: Sequence[str]) -> None:
        self._wanted = wanted
        self._steps: list[Block | Strings | Numbers] = []
        found = set[str]()
        last = 0
        for name, type_name, count in _flat(kind):
            pattern = next((w for w in wanted if name == w or (w.endswith("*") and name.startswith(w[:-1]))), None)
            if self._add(name, type_name, count, take=pattern is not None):
                found.add(str(pattern))
                last = len(self._steps)
        if missing := [name for name in wanted if name not in found]:
            raise ValueError(f"{kind.__name__}: expected numbers {', '.join(missing)}, got none of this name")
        # Nothing is read behind the last one.
        del self._steps[last:]

    def _add(self, name: str, type_name: str, count: int | None, *, take: bool) -> bool:
        """Add a field to the way; returns whether its value is taken."""
        if type_name == "string":
            self._steps.append(Strings(count))
            return False
        layout = struct.Struct(f"<{_FORMATS[type_name]}")
        if count is None:
            self._steps.append(Numbers(layout.size))
            return False
        block = self._steps[-1] if self._steps else None
        if not isinstance(block, Block) or block.align < layout.size:
            block = Block(layout.size)
            self._steps.append(block)
        at = -(-block.size // layout.size) * layout.size
        block.size = at + count * layout.size
        if take and count == 1:
            block.takes.append((name, at, layout))
        return take and count == 1

    def read(self, data: bytes) -> dict[str, Any]:
        """Return the wanted values by dotted name.

        Raises:
            ValueError: It is serialized in another way than little-endian CDR, or too short.
        """
        if data[:2] != _LITTLE_ENDIAN:
            raise ValueError(f"expected little-endian CDR, got a message that begins with {data[:4].hex()}")
        values: dict[str, Any] = {}
        offset = 0
        try:
            for step in self._steps:
                end = step.skip(offset, data)
                if isinstance(step, Block) and step.takes:
                    begin = _HEADER + end - step.size
                    for name, at, layout in step.takes:
                        values[name] = layout.unpack_from(data, begin + at)[0]
                offset = end
        except struct.error as error:
            raise ValueError(f"a message of {len(data)} bytes is too short: {error}") from None
        return values


def _flat(kind: type[Any], prefix: str = "") -> Iterator[tuple[str, str, int | None]]:
    """List the fields of a type and of its parts: dotted name, type of one value, and how many; None for a sequence."""
    for field, text in kind.get_fields_and_field_types().items():
        matched = _TYPE.fullmatch(text)
        if matched is None:
            raise ValueError(f"{kind.__name__}.{field}: expected a type of numbers, strings or messages, got {text}")
        sequence, type_name, length = matched.groups()
        count = None if sequence else int(length or 1)
        name = prefix + field
        if type_name in _FORMATS or type_name == "string":
            yield name, type_name, count
        elif "/" in type_name and count is not None:
            package, part = type_name.split("/")
            nested = getattr(importlib.import_module(f"{package}.msg"), part)
            for index in range(count):
                yield from _flat(nested, f"{name}." if count == 1 else f"{name}[{index}].")
        else:
            raise ValueError(f"{kind.__name__}.{field}: expected a type whose length is known, got {text}")
