"""What a bag says of a topic: type, definition, and the quality of service it was offered with."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from refinery.config import check
from refinery.errors import ConfigError

_RULE = "=" * 80
_PRIMITIVE = re.compile(r"bool|byte|char|w?string|float(32|64)|u?int(8|16|32|64)")
_FIELD = re.compile(r"^\s*(?P<type>[A-Za-z][A-Za-z0-9_/]*)")


@dataclass(frozen=True, kw_only=True)
class Qos:
    """Offered quality of service, in rosbag2's names."""

    reliability: str = "reliable"
    """reliable or best_effort."""
    durability: str = "volatile"
    """volatile or transient_local."""
    depth: int = 10
    """Depth of the history, >= 1."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.reliability in ("reliable", "best_effort"), "reliability", "reliable, best_effort", self.reliability)
        check(self.durability in ("volatile", "transient_local"), "durability", "a durability", self.durability)
        check(self.depth >= 1, "depth", ">= 1", self.depth)

    def lines(self) -> list[str]:
        """Lines of the one-element YAML list that bags carry (rosbag2, version 9: policies by name)."""
        forever = "{sec: 9223372036, nsec: 854775807}"
        return [
            "- history: keep_last",
            f"  depth: {self.depth}",
            f"  reliability: {self.reliability}",
            f"  durability: {self.durability}",
            *(f"  {name}: {forever}" for name in ("deadline", "lifespan")),
            "  liveliness: automatic",
            f"  liveliness_lease_duration: {forever}",
            "  avoid_ros_namespace_conventions: false",
        ]


@dataclass(frozen=True, kw_only=True)
class BagTopic:
    """One topic of a bag."""

    name: str
    """Fully qualified."""
    type: str
    """As in package/msg/Name."""
    definition: str
    """Text of the message and of all it nests (``ros2msg``)."""
    type_hash: str = ""
    """RIHS01 hash of the type, if it is known."""
    qos: Qos = Qos()
    """As offered by its publishers."""

    @property
    def latched(self) -> bool:
        """Whether late subscribers get the last message, so that a bag needs it whenever it begins."""
        return self.qos.durability == "transient_local"


def definition_of(kind: str, shares: tuple[Path, ...]) -> str:
    """Put the text of a message and of all it nests together, as MCAP's schema encoding ``ros2msg`` has it.

    Args:
        kind: As in package/msg/Name.
        shares: ``share`` folders of the installed packages.

    Raises:
        ConfigError: A definition is not installed.
    """
    parts, seen, waiting = [], {kind}, [kind]
    while waiting:
        name = waiting.pop(0)
        text = _file(name, shares).read_text(encoding="utf-8")
        head = "" if name == kind else f"{_RULE}\nMSG: {name.replace('/msg/', '/')}\n"
        # Readers cut the parts apart at line ends: a last line without one would swallow the rule.
        parts.append(head + text.rstrip("\n") + "\n")
        for nested in _nested(text, name.split("/")[0]):
            if nested not in seen:
                seen.add(nested)
                waiting.append(nested)
    return "".join(parts)


def _nested(text: str, package: str) -> list[str]:
    found = []
    for line in text.splitlines():
        match = _FIELD.match(line.split("#")[0])
        if match is None or _PRIMITIVE.fullmatch(match["type"]):
            continue
        parts = match["type"].split("/")
        found.append(f"{parts[0] if len(parts) > 1 else package}/msg/{parts[-1]}")
    return found


def _file(kind: str, shares: tuple[Path, ...]) -> Path:
    package, _, name = kind.split("/")
    for share in shares:
        if (path := share / package / "msg" / f"{name}.msg").is_file():
            return path
    raise ConfigError("recording", kind, "its definition in a share folder", "none", f"install or source {package}")
