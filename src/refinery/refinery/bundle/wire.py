"""Counting the parts of a protobuf message before it is parsed: two bytes of file can become a hundred of memory."""

from __future__ import annotations

from typing import Any

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def count_fields(content: bytes, descriptor: Any, most: int) -> int:
    """Count the fields of a serialised message and of all messages inside it.

    Args:
        content: Serialised message.
        descriptor: Of its type (``Message.DESCRIPTOR``).
        most: Stop counting beyond this.

    Returns:
        How many there are, or a number above ``most``.

    Raises:
        ValueError: The bytes are no message.
    """
    count = 0
    pending = [(0, len(content), {field.number: field for field in descriptor.fields})]
    known = {descriptor.full_name: pending[0][2]}
    while pending:
        at, end, fields = pending.pop()
        while at < end:
            count += 1
            if count > most:
                return count
            tag, at = _varint(content, at, end)
            kind, field = tag & 7, fields.get(tag >> 3)
            if kind == _BYTES:
                size, at = _varint(content, at, end)
                inner = field.message_type if field is not None else None
                if inner is not None and at + size <= end:
                    if inner.full_name not in known:
                        known[inner.full_name] = {item.number: item for item in inner.fields}
                    pending.append((at, at + size, known[inner.full_name]))
                at += size
            elif kind == _VARINT:
                _, at = _varint(content, at, end)
            elif kind in (_FIXED64, _FIXED32):
                at += 8 if kind == _FIXED64 else 4
            else:
                raise ValueError(f"wire type {kind} at byte {at}")
            if at > end:
                raise ValueError(f"a field that ends beyond byte {end}")
    return count


def _varint(content: bytes, at: int, end: int) -> tuple[int, int]:
    """Read a number of seven bits a byte; returns it and where it ends."""
    value = shift = 0
    while at < end and shift < 70:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
    raise ValueError(f"an unfinished number at byte {at}")
