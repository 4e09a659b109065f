"""The manifest: the task, the hash of every file (its own included), where the bundle came from and how good it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from refinery.bundle import strict_json
from refinery.bundle.files import HASHED, OPTIONAL, SCHEMA, sha256
from refinery.config import from_mapping, to_mapping
from refinery.errors import BundleError, ConfigError, RefineryError
from refinery.task import Task

_BLANK = "0" * 64
"""Stands for the manifest's own hash while that hash is computed."""
_DIGEST = re.compile("[0-9a-f]{64}")
_KEYS = ("schema", "name", "task", "task_hash", "files", "manifest_sha256", "provenance", "evaluation")
_MAX_NAME = 200
_MAX_TASK = 4000
"""Most numbers and texts in a task: whoever builds its cell takes the square of the number of its section's rings."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """Contents of ``manifest.json``."""

    name: str
    """Name of the bundle, for people."""
    task: Task
    """The complete task, so that a bundle needs no task file beside it."""
    files: dict[str, str]
    """SHA-256 of the other files."""
    provenance: dict[str, Any]
    """Git revision, seeds, steps, library versions, command, date."""
    evaluation: dict[str, Any]
    """Success on test seeds as ``{"k", "n"}`` per condition."""

    def __post_init__(self) -> None:
        """Validate the name, which goes into logs and messages as it is."""
        if not (self.name and self.name.isprintable() and len(self.name) <= _MAX_NAME):
            got = strict_json.short(self.name)
            raise BundleError(f"name: expected 1 to {_MAX_NAME} printable characters, got {got}; choose another")

    def to_bytes(self) -> bytes:
        """Return the file, which names its own SHA-256: that of the file with the 64 digits replaced by zeros."""
        raw = {
            "schema": SCHEMA,
            "name": self.name,
            "task": to_mapping(self.task),
            "task_hash": self.task.hash(),
            "files": self.files,
            "manifest_sha256": _BLANK,
            "provenance": self.provenance,
            "evaluation": self.evaluation,
        }
        blank = strict_json.dump(raw, "manifest")
        entry = f'"manifest_sha256": "{_BLANK}"'.encode()
        if blank.count(entry) != 1:
            raise BundleError("manifest: expected provenance and evaluation without the key manifest_sha256, got one")
        return blank.replace(entry, entry.replace(_BLANK.encode(), sha256(blank).encode()))

    @classmethod
    def from_bytes(cls, content: bytes, source: object) -> Manifest:
        """Read and check the file.

        Raises:
            BundleError: With file, key, what was expected and what was found.
        """
        raw = strict_json.parse(content, source)
        strict_json.want_equal(raw, "schema", SCHEMA, source, "use the Refinery version that wrote it, or export again")
        strict_json.want_keys(raw, _KEYS, source)
        own = _digest(raw, "manifest_sha256", source)
        entry = f'"manifest_sha256": "{own}"'.encode()
        found = sha256(content.replace(entry, entry.replace(own.encode(), _BLANK.encode())))
        if content.count(entry) != 1 or found != own:
            raise BundleError(
                f"{source}: expected SHA-256 {own}, got {found}; the file was altered, export or copy it again"
            )
        task = _task(strict_json.want(raw, "task", dict, source), source)
        strict_json.want_equal(raw, "task_hash", task.hash(), source, "the task was edited; export the bundle again")
        files = strict_json.want(raw, "files", dict, source)
        named = (*HASHED, *(name for name in OPTIONAL if name in files))
        strict_json.want_keys(files, named, f"{source}: files")
        try:
            return cls(
                name=strict_json.want(raw, "name", str, source),
                task=task,
                files={name: _digest(files, name, f"{source}: files") for name in named},
                provenance=strict_json.want(raw, "provenance", dict, source),
                evaluation=strict_json.want(raw, "evaluation", dict, source),
            )
        except BundleError as error:
            raise BundleError(str(error) if str(source) in str(error) else f"{source}: {error}") from None


def _digest(raw: dict[str, Any], key: str, source: object) -> str:
    value: str = strict_json.want(raw, key, str, source)
    if not _DIGEST.fullmatch(value):
        got = strict_json.short(value)
        raise BundleError(f"{source}: {key}: expected a SHA-256 of 64 lower-case digits, got {got}; export again")
    return value


def _task(raw: dict[str, Any], source: object) -> Task:
    size = strict_json.leaves(raw)
    if size > _MAX_TASK:
        raise BundleError(f"{source}: task: expected at most {_MAX_TASK} values, got {size}; simplify its section")
    try:
        return from_mapping(raw, Task, source=source, prefix="task")
    except (RefineryError, *strict_json.MALFORMED) as error:
        text = str(error) if isinstance(error, ConfigError) else f"{source}: task: expected a task, got {error}"
        text = strict_json.one_line(text, len(str(source)) + 300)
        raise BundleError(f"{text}; the bundle does not hold a task this version understands") from None
