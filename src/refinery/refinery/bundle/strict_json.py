"""JSON with nothing left to chance: no NaN, no infinity, no duplicate keys, exact floats, no bottomless nesting."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

import numpy as np

from refinery.errors import BundleError

MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError)
"""What parsing a structure that is not what it should be may raise; readers turn these into :class:`BundleError`."""
_SURROGATE = re.compile("[\ud800-\udfff]")
MAX_DEPTH = 32
"""Deepest nesting; what is handed on must not overflow the stack of whoever walks through it."""


def parse(content: bytes | str, source: object) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        content: UTF-8 text.
        source: Named in errors.

    Returns:
        The object, all numbers finite.

    Raises:
        BundleError: Not UTF-8, not JSON, not an object, a number that is not finite, a key given twice, nested too
            deeply, or with half a surrogate pair in a text, which no log can print.
    """
    try:
        text = content if isinstance(content, str) else content.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{source}: expected strict JSON, got {one_line(error)}; export the bundle again") from None
    if not isinstance(value, dict):
        raise BundleError(f"{source}: expected a JSON object, got {type(value).__name__}; export the bundle again")
    _check_tree(value, source)
    return value


def dump(value: dict[str, Any], what: str) -> bytes:
    """Write a JSON object as UTF-8, floats in full precision, one line per entry and per row of numbers.

    Args:
        value: The object; numpy scalars are written as numbers.
        what: Named in errors.

    Raises:
        BundleError: A value is not finite or has no JSON form.
    """
    try:
        plain = json.loads(json.dumps(value, allow_nan=False, default=_plain))
        return (_layout(plain, "\n") + "\n").encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise BundleError(f"{what}: expected finite numbers, text, lists and mappings, got {error}") from None


def want(mapping: dict[str, Any], key: str, kind: type | tuple[type, ...], source: object) -> Any:
    """Return ``mapping[key]`` if it has the type, else raise naming file and key.

    Raises:
        BundleError: The key is missing or its value has another type (``True`` is no number).
    """
    names = kind.__name__ if isinstance(kind, type) else " or ".join(item.__name__ for item in kind)
    if key not in mapping:
        raise BundleError(f"{source}: {key}: expected {names}, got nothing (the key is missing); export again")
    value = mapping[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise BundleError(f"{source}: {key}: expected {names}, got {short(value)}; export the bundle again")
    return value


def want_equal(mapping: dict[str, Any], key: str, expected: object, source: object, hint: str) -> None:
    """Check that ``mapping[key]`` is exactly ``expected``.

    Raises:
        BundleError: It is missing or different; ``hint`` says what to do.
    """
    got = mapping.get(key, "nothing (the key is missing)")
    if type(got) is not type(expected) or got != expected:
        raise BundleError(f"{source}: {key}: expected {short(expected)}, got {short(got)}; {hint}")


def want_keys(mapping: dict[str, Any], keys: Iterable[str], source: object) -> None:
    """Check that a mapping has these keys and no others: a misspelt one must not pass for one left out.

    Raises:
        BundleError: A key is missing or not known.
    """
    expected = set(keys)
    for name in sorted(expected ^ set(mapping)):
        if name in expected:
            raise BundleError(f"{source}: {name}: expected this key, got nothing; export the bundle again")
        known = ", ".join(sorted(expected))
        raise BundleError(f"{source}: expected only the keys {known}, got {short(name)}; export the bundle again")


def leaves(value: object) -> int:
    """Return how many scalars, and empty lists and mappings, a parsed value holds."""
    count, pending = 0, [value]
    while pending:
        part = pending.pop()
        inner = list(part.values()) if isinstance(part, dict) else part if isinstance(part, list) else []
        count += not inner
        pending += inner
    return count


def one_line(text: object, limit: int = 300) -> str:
    """Return the text of an error on one printable line of bounded length: what it quotes may be anything."""
    line = "".join(char if char.isprintable() else "?" for char in " ".join(str(text).split()))
    return line if len(line) <= limit else line[: limit - 3] + "..."


def _check_tree(value: dict[str, Any], source: object) -> None:
    pending: list[tuple[Any, int]] = [(value, 1)]
    while pending:
        part, depth = pending.pop()
        if isinstance(part, str) and not part.isascii() and _SURROGATE.search(part):
            raise BundleError(f"{source}: expected text, got half a surrogate pair; export the bundle again")
        if isinstance(part, (dict, list)):
            if depth > MAX_DEPTH:
                raise BundleError(f"{source}: expected at most {MAX_DEPTH} levels, got more; export the bundle again")
            if isinstance(part, dict):
                pending += [(key, depth) for key in part]
            pending += [(item, depth + 1) for item in (part.values() if isinstance(part, dict) else part)]


def _layout(value: Any, newline: str) -> str:
    """Lay out plain JSON: mappings and lists of lists over several lines, rows of scalars on one."""
    deeper = newline + " "
    if isinstance(value, dict) and value:
        entries = [f"{json.dumps(key)}: {_layout(item, deeper)}" for key, item in value.items()]
        return "{" + deeper + ("," + deeper).join(entries) + newline + "}"
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return "[" + deeper + ("," + deeper).join(_layout(item, deeper) for item in value) + newline + "]"
    return json.dumps(value)


def short(value: object) -> str:
    """Return a value as it may stand in an error: printable and of bounded length."""
    text = repr(value)
    return text if len(text) <= 120 else text[:117] + "..."


def _plain(value: object) -> Any:
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__}")


def _refuse(name: str) -> float:
    raise ValueError(f"the number {name}")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]}, which is not finite")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in pairs:
        if key in result:
            raise ValueError(f"the key {short(key)} twice")
        result[key] = value
    return result
