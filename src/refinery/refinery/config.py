"""Strict YAML to frozen dataclasses: a misspelt key or a wrong type is an error that names the file and the key.

A file may begin with ``extends: <file>`` and then says only what differs from that file (:mod:`refinery.extends`).
"""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from contextvars import ContextVar
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from refinery import extends
from refinery.errors import ConfigError

T = TypeVar("T")
LEFT_OUT = {"left_out": True}
"""Metadata of a field that mappings state only if it differs from its default: a key that came later does not change
the hash of what was written before."""
_COLLECTED: ContextVar[list[ConfigError] | None] = ContextVar("collected", default=None)
"""Mistakes found so far where all are wanted; None where the first one is raised."""


class _IncompleteError(Exception):
    """A value could not be built; its mistakes are collected already."""


def find_mistakes(path: Path, cls: type[T]) -> tuple[T | None, list[ConfigError]]:
    """Read a YAML file as :func:`load_dataclass` does, and find all its mistakes instead of the first.

    Args:
        path: YAML file.
        cls: Dataclass type.

    Returns:
        An instance, None if a key is missing or not of its type, and the mistakes. An instance with mistakes has values
        out of range: it is good for looking for further mistakes and for nothing else.

    Raises:
        ConfigError: The file or one it inherits from cannot be read or is not strict YAML.
    """
    found = _read(Path(path))
    value, mistakes = all_mistakes(found.content, cls, source=path)
    return value, [found.located(mistake) for mistake in mistakes]


def all_mistakes(raw: object, cls: type[T], *, source: object, prefix: str = "") -> tuple[T | None, list[ConfigError]]:
    """Build a dataclass as :func:`from_mapping` does, and find all mistakes instead of the first.

    Args:
        raw: Parsed YAML or JSON.
        cls: Dataclass type.
        source: Named in errors.
        prefix: Dotted path of ``raw`` inside the file.

    Returns:
        As :func:`find_mistakes`.
    """
    mistakes: list[ConfigError] = []
    token = _COLLECTED.set(mistakes)
    try:
        return from_mapping(raw, cls, source=source, prefix=prefix), mistakes
    except _IncompleteError:
        return None, mistakes
    finally:
        _COLLECTED.reset(token)


def load_dataclass(path: Path, cls: type[T]) -> T:
    """Read a YAML file, with what it inherits, into a (possibly nested) dataclass.

    Args:
        path: YAML file.
        cls: Dataclass type; its annotations say which keys and types are accepted.

    Returns:
        An instance of ``cls``; its own ``__post_init__`` has validated ranges.

    Raises:
        ConfigError: The file or one it inherits from is missing, unreadable or not strict YAML
            (:mod:`refinery.strict_yaml`), a key is unknown or missing, or a value has the wrong type or is out of
            range; it names the file that the faulty value stands in.
    """
    path = Path(path)
    found = _read(path)
    try:
        return from_mapping(found.content, cls, source=path)
    except ConfigError as error:
        raise found.located(error) from None


def _read(path: Path) -> extends.Configuration:
    try:
        return extends.read(path)
    except FileNotFoundError:
        raise extends.missing(path, path) from None
    except OSError as error:
        raise ConfigError(path, "", "a readable file", " ".join(str(error).split())) from None


def from_mapping(raw: object, cls: type[T], *, source: object, prefix: str = "") -> T:
    """Build a dataclass from a mapping, refusing unknown and missing keys.

    Args:
        raw: Parsed YAML or JSON.
        cls: Dataclass type.
        source: Named in errors.
        prefix: Dotted path of ``raw`` inside the file.

    Returns:
        An instance of ``cls``.

    Raises:
        ConfigError: As in :func:`load_dataclass`.
    """
    if not isinstance(raw, dict):
        _refuse(ConfigError(source, prefix, f"a mapping with the keys of {cls.__name__}", raw))
    hints = typing.get_type_hints(cls)
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in raw:
        if key not in fields:
            close = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known keys: {', '.join(fields)}"
            _mistake(ConfigError(source, _join(prefix, str(key)), "a known key", str(key), hint))
    values: dict[str, Any] = {}
    complete = True
    for name, field in fields.items():
        key = _join(prefix, name)
        try:
            if name in raw:
                values[name] = _convert(raw[name], hints[name], source, key)
            elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                raise ConfigError(source, key, _describe(hints[name]), "nothing (the key is missing)")
        except _IncompleteError:
            complete = False
        except ConfigError as error:
            _mistake(error)
            complete = False
    if not complete:
        raise _IncompleteError
    return _built(cls, values, source, prefix)


def _built(cls: type[T], values: dict[str, Any], source: object, prefix: str) -> T:
    """Build a dataclass whose own checks name a key of its own: the mistakes get the whole key and the source."""
    collected = _COLLECTED.get()
    before = len(collected or ())
    try:
        return cls(**values)
    except ConfigError as error:
        if collected is None:
            raise _placed(error, source, prefix) from None
        collected.append(error)
        raise _IncompleteError from None
    except Exception:
        # A check that builds on a value which another one found to be out of range.
        if not collected:
            raise
        raise _IncompleteError from None
    finally:
        if collected:
            collected[before:] = [_placed(error, source, prefix) for error in collected[before:]]


def _placed(error: ConfigError, source: object, prefix: str) -> ConfigError:
    return ConfigError(source, _join(prefix, error.key), error.expected, error.got, error.hint)


def _mistake(error: ConfigError) -> None:
    """Raise a mistake, or note it where all are wanted."""
    collected = _COLLECTED.get()
    if collected is None:
        raise error from None
    collected.append(error)


def _refuse(error: ConfigError) -> NoReturn:
    """Raise a mistake after which there is nothing more to look at."""
    _mistake(error)
    raise _IncompleteError


def check(condition: bool, key: str, expected: str, got: object) -> None:
    """Raise a :class:`ConfigError` for a value out of range (for ``__post_init__``).

    Args:
        condition: What must hold.
        key: Field name.
        expected: The accepted range, with its unit.
        got: The value found.

    Raises:
        ConfigError: ``condition`` is false (noted instead while :func:`find_mistakes` looks for all).
    """
    if not condition:
        _mistake(ConfigError("configuration", key, expected, got))


def to_mapping(value: object) -> Any:
    """Turn a dataclass tree into plain dicts and lists, ready for YAML or JSON; see :data:`LEFT_OUT`."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_mapping(getattr(value, f.name)) for f in dataclasses.fields(value) if _stated(f, value)}
    if isinstance(value, (list, tuple)):
        return [to_mapping(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_mapping(item) for key, item in value.items()}
    return value


def _stated(field: dataclasses.Field[Any], owner: object) -> bool:
    left_out = field.metadata.items() >= LEFT_OUT.items() and getattr(owner, field.name) == field.default
    return field.init and not left_out


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix and name else prefix or name


def _describe(kind: Any) -> str:
    if dataclasses.is_dataclass(kind):
        return f"a mapping ({getattr(kind, '__name__', kind)})"
    return str(getattr(kind, "__name__", kind)).replace("typing.", "")


def _convert(value: Any, kind: Any, source: object, key: str) -> Any:
    """Convert one YAML value to the annotated type, or raise naming the key."""
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None and type(None) in typing.get_args(kind):
            return None
        (inner,) = [arg for arg in typing.get_args(kind) if arg is not type(None)]
        return _convert(value, inner, source, key)
    if dataclasses.is_dataclass(kind):
        return from_mapping(value, typing.cast("type[Any]", kind), source=source, prefix=key)
    if origin is tuple:
        return _convert_tuple(value, typing.get_args(kind), source, key)
    if origin is dict:
        if not isinstance(value, dict):
            raise ConfigError(source, key, "a mapping", value)
        inner = typing.get_args(kind)[1]
        return {str(k): _convert(v, inner, source, f"{key}.{k}") for k, v in value.items()}
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        if value != value or value in (float("inf"), float("-inf")):
            raise ConfigError(source, key, "a finite number", value)
        return float(value)
    if kind is Path and isinstance(value, str):
        return Path(value)
    if kind in (int, str, bool) and type(value) is kind:
        return value
    raise ConfigError(source, key, _describe(kind), value)


def _convert_tuple(value: Any, args: tuple[Any, ...], source: object, key: str) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ConfigError(source, key, "a list", value)
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_convert(item, args[0], source, f"{key}[{i}]") for i, item in enumerate(value))
    if len(value) != len(args):
        raise ConfigError(source, key, f"a list of {len(args)} values", value)
    return tuple(
        _convert(item, arg, source, f"{key}[{i}]") for i, (item, arg) in enumerate(zip(value, args, strict=True))
    )
