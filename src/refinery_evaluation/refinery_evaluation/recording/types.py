"""Message types by name: the class that rclpy uses, the definition that a bag carries."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any

from refinery.errors import ConfigError
from refinery_evaluation.recording.topic import definition_of


def message_class(kind: str) -> Any:
    """Import a message type, written package/msg/Name.

    Raises:
        ConfigError: It is not installed.
    """
    package, _, name = kind.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        raise ConfigError("recording", kind, "an installed type", str(error), f"source {package}") from None


@cache
def shares() -> tuple[Path, ...]:
    """``share`` folders of the sourced workspaces, the topmost first."""
    return tuple(Path(prefix) / "share" for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep))


@cache
def definition(kind: str) -> str:
    """Text of a message and of all it nests; empty if that is not installed: readers then know it by name only."""
    try:
        return definition_of(kind, shares())
    except ConfigError:
        return ""


@cache
def type_hash(kind: str) -> str:
    """RIHS01 hash of a message as its package was built with; empty if that is not installed."""
    package, _, name = kind.split("/")
    for share in shares():
        with contextlib.suppress(OSError, ValueError, LookupError, TypeError):
            hashes = json.loads((share / package / "msg" / f"{name}.json").read_bytes())["type_hashes"]
            return next(str(row["hash_string"]) for row in hashes if row["type_name"] == kind)
    return ""
