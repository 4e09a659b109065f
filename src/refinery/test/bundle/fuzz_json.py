"""Mutations of JSON that stay JSON, more or less: other types, sizes, keys and numbers at any place of the tree."""

from __future__ import annotations

import json
from math import isfinite
from random import Random
from typing import Any


class Raw(str):
    """Text that is written as it is, where a value should be."""


class Pairs(list[list[Any]]):
    """A JSON object as a list of [key, value], so that a key can appear twice."""


SCALARS = (
    *(None, True, False, 0, 1, -1, 2, 1.5, -0.0, 5e-324, 1e-12, 1e-3, 1e3, 1e12, 1e300, 1.7e308, -1e308),
    *(2**31, 2**63, -(2**63), 10**400, 10**4299, Raw("NaN"), Raw("Infinity"), Raw("1e999"), Raw("-0"), Raw("0.0e0")),
    *("", "x", "nan", "1.5", "mixture_ranked", "polygon", "round", "0" * 64, "f" * 64, "a" * 70_000, "\n\x1b[31m"),
    *("\ud800", "\x00", "é", "‮", "../../etc/passwd", "/dev/zero", "__class__", "x y", "\u2028"),
)
"""Values that are of the wrong type, out of range or strange."""
MOST_COPIES = 4100
"""A list is repeated at most this often."""


def parse(content: bytes) -> Any:
    """Parse JSON into lists, scalars and :class:`Pairs`; raises ValueError or RecursionError."""
    return json.loads(content, object_pairs_hook=lambda pairs: Pairs([key, value] for key, value in pairs))


def dump(value: Any) -> bytes:
    """Write what :func:`parse` returned."""
    return _text(value).encode("utf-8", "surrogatepass")


def mutate_json(tree: Any, rng: Random) -> Any:
    """Change one place of a parsed tree; returns the tree, changed in place where it can be."""
    places = list(_places(tree))
    if not places:
        return rng.choice(SCALARS)
    # Deep places outnumber the others: the list's rows would get all the attention.
    depth = rng.choice(sorted({depth for depth, _, _ in places}))
    _, holder, index = rng.choice([place for place in places if place[0] == depth])
    slot, at = (holder[index], 1) if isinstance(holder, Pairs) else (holder, index)
    kind = rng.random()
    if kind < 0.3:
        slot[at] = rng.choice(SCALARS)
    elif kind < 0.4:
        slot[at] = rng.choice((Pairs(), [], [slot[at]], Pairs([["a", slot[at]]]), Raw(_nest(rng)), [[]] * 5))
    elif kind < 0.6:
        slot[at] = _changed(slot[at], rng)
    elif kind < 0.7:
        _, other, other_index = rng.choice(places)
        slot[at] = other[other_index][1] if isinstance(other, Pairs) else other[other_index]
        # A tree that holds itself has no text.
        slot[at] = parse(dump(slot[at]))
    elif kind < 0.8:
        del holder[index]
    elif kind < 0.9:
        holder.insert(rng.randint(0, len(holder)), parse(dump(holder[index])) if holder else None)
    else:
        _reorder(holder, index, rng)
    return tree


def _places(tree: Any, depth: int = 0) -> Any:
    if isinstance(tree, list):
        for index, item in enumerate(tree):
            yield depth, tree, index
            yield from _places(item[1] if isinstance(tree, Pairs) else item, depth + 1)


def _changed(value: Any, rng: Random) -> Any:
    """Return something of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)) and not isinstance(value, Raw):
        factor = rng.choice((-1, 0, 0.5, 2, 1 + 1e-9, 1e3, 1e-6, 1e30))
        return rng.choice((str(value), int(min(abs(value), 1e9)), value + 1, value - 1, _product(value, factor)))
    if isinstance(value, str):
        return rng.choice((value + "x", value[:-1], value.upper(), value * 2, value[::-1]))
    if isinstance(value, Pairs):
        return Pairs(rng.sample(value, len(value)))
    if isinstance(value, list):
        return rng.choice((value[::-1], value * 2, value[:1], value[:-1], value * (MOST_COPIES // max(len(value), 1))))
    return 0


def _product(value: float, factor: float) -> float:
    try:
        return value * factor
    except OverflowError:
        return 1e308


def _reorder(holder: list[Any], index: int, rng: Random) -> None:
    if isinstance(holder, Pairs):
        holder[index][0] = rng.choice(
            ("", "x", "schema", "__proto__", "\ud800", "a" * 5000, str(holder[index][0]) + "_")
        )
    else:
        rng.shuffle(holder)


def _nest(rng: Random) -> str:
    depth = rng.choice((5, 31, 32, 33, 100, 480, 900, rng.randint(930, 1000), 5000, 100_000))
    return rng.choice(("[" * depth + "]" * depth, '{"a":' * depth + "0" + "}" * depth, "[" * depth))


def grow_together(tree: Any, rng: Random) -> Any:
    """Repeat the points of the success model or the components of the mixture, so that all lengths still fit."""
    part = dict(map(tuple, tree)) if isinstance(tree, Pairs) else {}
    key, names = rng.choice(
        (("success_model", ("inputs", "rates", "noise_variance")), ("mixture", ("weights", "means", "covariances")))
    )
    times = rng.choice((2, 5, 40, 300))
    for pair in part.get(key) or ():
        if isinstance(pair, list) and len(pair) == 2 and pair[0] in names and isinstance(pair[1], list):
            pair[1] = pair[1] * times
            if pair[0] == "weights":
                pair[1] = [value / times if isinstance(value, float) else value for value in pair[1]]
    return tree


def _text(value: Any) -> str:
    if type(value) is int or (type(value) is float and isfinite(value)):
        return repr(value)
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(key)}: {_text(item)}" for key, item in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_text, value)) + "]"
    # Half of the strange characters as they are, half as escapes: both must be read.
    return json.dumps(value, ensure_ascii=not (isinstance(value, str) and len(value) % 2 == 0))
