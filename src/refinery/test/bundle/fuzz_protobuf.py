"""Mutations of a protobuf message by its description, knowing nothing of what the fields mean."""

from __future__ import annotations

from random import Random
from typing import Any

INTEGERS = (*(0, 1, 2, 3, 6, 7, 8, 11, 16, -1, -2, 28, 100), *(2**20, 2**31 - 1, -(2**31), 2**40, 2**63 - 1, -(2**63)))
FLOATS = (0.0, 1.0, -1.0, 1e-45, 1e-310, 1e38, float("nan"), float("inf"), float("-inf"))
TEXTS = ("", "obs", "h", "c", "action", "h_out", "x", "ai.onnx", "com.microsoft", "\x00", "é", "n" * 5000, "../../etc")
MOST_COPIES = 2000
"""A repeated field is made at most this long, or its double."""


def mutate_message(message: Any, rng: Random) -> None:
    """Change one field of one message somewhere in the tree."""
    chosen = rng.choice(_messages(message))
    fields = list(chosen.DESCRIPTOR.fields)
    present = [field for field, _ in chosen.ListFields()]
    field = rng.choice(present) if present and rng.random() < 0.8 else rng.choice(fields)
    if field.is_repeated:
        _mutate_repeated(chosen, field, rng)
    elif rng.random() < 0.15:
        chosen.ClearField(field.name)
    elif field.message_type is not None:
        _replace_message(message, getattr(chosen, field.name), rng)
    else:
        _set(chosen, field, rng)


def _messages(message: Any) -> list[Any]:
    """All messages of a tree, itself first."""
    found, pending = [], [message]
    while pending:
        part = pending.pop()
        found.append(part)
        for field, value in part.ListFields():
            if field.message_type is not None:
                pending += list(value) if field.is_repeated else [value]
    return found


def _mutate_repeated(holder: Any, field: Any, rng: Random) -> None:
    items = getattr(holder, field.name)
    kind = rng.random()
    if not items:
        _append(items, field, rng)
    elif kind < 0.3:
        del items[rng.randrange(len(items))]
    elif kind < 0.55:
        for _ in range(rng.choice((1, 1, 1, min(len(items), MOST_COPIES), MOST_COPIES // max(1, len(items) ** 2)))):
            items.append(items[rng.randrange(len(items))])
    elif kind < 0.7 and field.message_type is None and field.cpp_type != field.CPPTYPE_MESSAGE:
        index = rng.randrange(len(items))
        items[index] = _scalar(field, rng)
    elif kind < 0.85:
        order = rng.sample(list(items), len(items))
        del items[:]
        items.extend(order)
    else:
        _append(items, field, rng)


def _append(items: Any, field: Any, rng: Random) -> None:
    if field.message_type is not None:
        items.add()
    else:
        items.append(_scalar(field, rng))


def _replace_message(root: Any, target: Any, rng: Random) -> None:
    """Put a message of the same type from elsewhere there, or an empty one."""
    kind = target.DESCRIPTOR.full_name
    others = [other for other in _messages(root) if other.DESCRIPTOR.full_name == kind]
    copy = type(target)()
    if others:
        copy.CopyFrom(rng.choice(others))
    target.SetInParent()
    target.CopyFrom(copy)


def _set(holder: Any, field: Any, rng: Random) -> None:
    setattr(holder, field.name, _scalar(field, rng, getattr(holder, field.name)))


def _scalar(field: Any, rng: Random, now: Any = None) -> Any:
    """Return a value of the field's type."""
    if field.type in (field.TYPE_FLOAT, field.TYPE_DOUBLE):
        return rng.choice(FLOATS)
    if field.type == field.TYPE_STRING:
        return rng.choice(TEXTS)
    if field.type == field.TYPE_BYTES:
        content = bytes(now or b"")
        cut = content[: rng.randint(0, len(content))]
        return rng.choice(
            (cut, content * 2, rng.randbytes(4), b"\xff" * len(content), b"", rng.randbytes(len(content)))
        )
    if field.type == field.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    low, high = (-(2**31), 2**31 - 1) if field.type == field.TYPE_INT32 else (-(2**63), 2**63 - 1)
    if field.type == field.TYPE_UINT64:
        low, high = 0, 2**64 - 1
    near = (now or 0) + rng.choice((-1, 1))
    return min(max(rng.choice((*INTEGERS, near)), low), high)
