"""The manifest: the task, the hash of every file (its own included), where the bundle came from and how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from refinery.bundle import strict_json
from refinery.bundle.files import HASHED, SCHEMA, sha256
from refinery.config import from_mapping, to_mapping
from refinery.errors import BundleError, RefineryError
from refinery.task import Task

_BLANK = "0" * 64
"""Stands for the manifest's own hash while that hash is computed."""


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
        own = strict_json.want(raw, "manifest_sha256", str, source)
        entry = f'"manifest_sha256": "{own}"'.encode()
        found = sha256(content.replace(entry, entry.replace(own.encode(), _BLANK.encode())))
        if len(own) != 64 or content.count(entry) != 1 or found != own:
            raise BundleError(
                f"{source}: expected SHA-256 {own[:64]}, got {found}; the file was altered, export or copy it again"
            )
        task = _task(strict_json.want(raw, "task", dict, source), source)
        strict_json.want_equal(raw, "task_hash", task.hash(), source, "the task was edited; export the bundle again")
        files = strict_json.want(raw, "files", dict, source)
        if sorted(files) != sorted(HASHED) or not all(isinstance(value, str) for value in files.values()):
            raise BundleError(f"{source}: files: expected a hash for each of {HASHED}, got {sorted(files)}")
        return cls(
            name=strict_json.want(raw, "name", str, source),
            task=task,
            files=files,
            provenance=strict_json.want(raw, "provenance", dict, source),
            evaluation=strict_json.want(raw, "evaluation", dict, source),
        )


def _task(raw: dict[str, Any], source: object) -> Task:
    try:
        return from_mapping(raw, Task, source=source, prefix="task")
    except (RefineryError, *strict_json.MALFORMED) as error:
        raise BundleError(f"{error}; the bundle does not hold a task this version understands") from None
