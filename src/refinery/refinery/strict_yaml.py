"""YAML with nothing left to chance: no key twice, no value that stands elsewhere, no number that is silently a text.

Every YAML file that Refinery reads itself comes through here (a test looks for others). What YAML 1.1 reads otherwise
than it looks is refused with what to write instead, quoted text excepted: ``5e-4`` (a text), ``1_000``, ``0x10``,
``010`` (8), ``1:30`` (90), ``on``, ``2026-11-26`` (a date). So are anchors, aliases and merge keys, with which the line
that one reads is not the line that counts.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.representer import SafeRepresenter

from refinery.errors import ConfigError

MAX_BYTES = 1 << 20
"""Largest accepted file, [B]."""
MAX_DEPTH = 32
"""Deepest nesting; what is handed on must not overflow the stack of whoever walks through it."""
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?([0-9]+\.[0-9]*|\.[0-9]+)([eE][-+][0-9]+)?")
_NUMBER = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([-+]?)([0-9]+))?")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None}


def read(path: Path) -> Any:
    """Read a YAML file.

    Args:
        path: The file, UTF-8.

    Returns:
        Mappings with text as keys, lists, text, finite numbers, booleans and None.

    Raises:
        OSError: It cannot be read.
        ConfigError: As of :func:`parse`, or it is too large.
    """
    return parse(_content(path), path)


def read_placed(path: Path) -> dict[str, tuple[Any, int]]:
    """Read a YAML file of nested mappings for somebody who is to be told where to change it.

    Args:
        path: The file, UTF-8.

    Returns:
        By dotted key, each value that is no mapping, and the line it stands in.

    Raises:
        OSError: It cannot be read.
        ConfigError: As of :func:`read`.
    """
    return dict(_placed(_compose(_content(path), path, ""), path, ""))


def _content(path: Path) -> bytes:
    with Path(path).open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ConfigError(path, "", f"at most {MAX_BYTES} B", "more", "this is not a configuration file")
    return content


def parse(content: bytes | str, source: object, key: str = "") -> Any:
    """Parse one YAML document.

    Args:
        content: The text; bytes are UTF-8, with or without a byte-order mark.
        source: Named in errors.
        key: Dotted key of the whole, where it is a part of something.

    Returns:
        As :func:`read`.

    Raises:
        ConfigError: Naming the key and the lines: not UTF-8, not YAML, empty, several documents, a key twice, a key
            that is no text, an anchor, alias, merge key or tag, nested too deeply, or a value that YAML 1.1 reads
            otherwise than it looks.
    """
    return _value(_compose(content, source, key), source, key)


def _compose(content: bytes | str, source: object, key: str) -> yaml.Node:
    try:
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        loader = _Composer(text.removeprefix("\ufeff"), source)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except UnicodeDecodeError as error:
        raise ConfigError(source, key, "text in UTF-8", f"{error.reason} at byte {error.start}", "save it so") from None
    except yaml.YAMLError as error:
        hint = "indent with spaces" if "'\\t'" in str(error) else ""
        raise ConfigError(source, key, "readable YAML", _one_line(error), hint) from None
    if node is None:
        raise ConfigError(source, key, "a value", "nothing but space and comments", "was it cut or emptied?")
    return node


class _Composer(yaml.SafeLoader):
    """Composes nodes; refuses what makes a document more than a tree of modest depth, before it is built."""

    def __init__(self, text: str, source: object) -> None:
        super().__init__(text)
        self._source, self._depth = source, 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._refused(event, "each value where it is used", f"the anchor or alias {event.anchor!r}")
        if getattr(event, "tag", None) is not None:
            raise self._refused(event, "no tag", event.tag)
        if self._depth == MAX_DEPTH:
            raise self._refused(event, f"at most {MAX_DEPTH} levels", "more")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def _refused(self, event: yaml.Event, expected: str, got: str) -> ConfigError:
        line = f"line {event.start_mark.line + 1}" if event.start_mark is not None else ""
        return ConfigError(self._source, line, expected, got)


def _value(node: yaml.Node, source: object, key: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, source, key)
    if isinstance(node, yaml.ScalarNode):
        return _scalar(node, source, key)
    return [_value(item, source, f"{key}[{index}]") for index, item in enumerate(node.value)]


def _placed(node: yaml.Node, source: object, key: str) -> Iterator[tuple[str, tuple[Any, int]]]:
    if isinstance(node, yaml.MappingNode):
        _mapping(node, source, key)
        for name, item in node.value:
            yield from _placed(item, source, f"{key}.{name.value}" if key else name.value)
    else:
        yield key, (_value(node, source, key), node.start_mark.line + 1)


def _mapping(node: yaml.MappingNode, source: object, prefix: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for name_node, item in node.value:
        line = name_node.start_mark.line + 1
        if name_node.tag == "tag:yaml.org,2002:merge":
            raise ConfigError(source, prefix, "each value where it is used", f"the merge key << in line {line}")
        name = _value(name_node, source, prefix)
        if not isinstance(name, str):
            raise ConfigError(source, prefix, f"a key in text in line {line}", name, "put it in quotes")
        key = f"{prefix}.{name}" if prefix else name
        if name in result:
            raise ConfigError(
                source, key, "a key once", f"it in line {lines[name]} and again in line {line}", "remove one of them"
            )
        result[name], lines[name] = _value(item, source, key), line
    return result


def _scalar(node: yaml.ScalarNode, source: object, key: str) -> str | int | float | bool | None:
    """Read a scalar, or refuse one that is not read as it looks."""
    text: str = node.value
    kind = node.tag.rpartition(":")[2]
    # A text with any kind of quotes, or in a block, is what it is.
    if node.style is not None or (kind == "str" and not _like_a_number(text)):
        if not text.isascii() and _SURROGATE.search(text):
            raise ConfigError(source, key, "text", "half a surrogate pair", "no log can print it")
        return text
    if kind in ("bool", "null") and text in _PLAIN:
        return _PLAIN[text]
    if kind == "int" and _INTEGER.fullmatch(text):
        return int(text)
    if kind == "float" and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    expected, hint = _instead(node, kind)
    quoted = f"'{text}' in quotes for the text" if text else "'' for an empty text"
    where = f"in line {node.start_mark.line + 1}"
    raise ConfigError(source, key, f"{expected} {where}", text, f"{hint}, or {quoted}")


def _like_a_number(text: str) -> bool:
    """Tell whether somebody may have meant a number by what YAML 1.1 reads as a text."""
    try:
        float(text)
    except ValueError:
        return re.fullmatch(r"[-+]?0[oO][0-7]+", text) is not None
    return True


def _instead(node: yaml.ScalarNode, kind: str) -> tuple[str, str]:
    """Say what would have been accepted, and what to write."""
    text: str = node.value
    parts = _NUMBER.fullmatch(text)
    if kind == "bool":
        return "true or false", "write one of them"
    if kind == "null":
        return "a value", "write null for none"
    if kind == "str" and parts is not None:
        sign, whole, fraction, exponent_sign, exponent = parts.groups()
        spelt = f"{sign}{int(whole or 0)}"
        if fraction is not None or exponent:
            spelt += f".{fraction or 0}" + (f"e{exponent_sign or '+'}{exponent}" if exponent else "")
        return "a number", f"YAML takes this for a text and wants {spelt}"
    if kind in ("int", "float") and (meant := _taken_for(node)) is not None:
        return "a decimal number", f"YAML 1.1 takes this for {meant}: write what you mean"
    if kind == "timestamp":
        return "a number or a text", "YAML takes this for a date: write what you mean"
    return "a finite decimal number", "write one"


def _taken_for(node: yaml.ScalarNode) -> str | None:
    """Return the finite number that YAML 1.1 takes this for, in decimal digits."""
    try:
        meant = SafeConstructor().construct_object(node)
    except ValueError:
        return None
    return str(SafeRepresenter().represent_data(meant).value) if abs(meant) < 10**18 else None


def _one_line(error: yaml.YAMLError) -> str:
    """Say what is wrong and where, without the excerpt."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return " ".join(str(error).split())
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return said + (f" in line {mark.line + 1}, column {mark.column + 1}" if mark is not None else "")
