"""What has been done already: a stamp beside the result holds the hash of what it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def content_hash(root: Path, files: Iterable[Path], *extra: str) -> str:
    """Return a hash of files' names and contents.

    Args:
        root: Names are relative to this folder.
        files: The files; one that is missing counts by its name.
        extra: Further text that the result depends on.
    """
    digest = hashlib.sha256()
    for text in extra:
        digest.update(text.encode() + b"\0")
    for path in sorted(files):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() if path.is_file() else b"missing")
        digest.update(b"\0")
    return digest.hexdigest()


class Stamps:
    """Stamps in one folder; deleting the folder makes everything undone.

    Args:
        folder: Where they are, inside the result they speak of.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, name: str) -> str:
        """Return what was recorded, or an empty string."""
        try:
            return (self.folder / name).read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def write(self, name: str, value: str) -> None:
        """Record a finished step; only ever called after it succeeded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f".{name}.new"
        new.write_text(value + "\n", encoding="utf-8")
        new.replace(self.folder / name)

    def drop(self, name: str) -> None:
        """Forget a step, before its result is touched."""
        (self.folder / name).unlink(missing_ok=True)
