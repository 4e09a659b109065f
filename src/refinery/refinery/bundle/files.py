"""The files of a bundle and how they are read: once, whole, and never more than a stated size."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from refinery.errors import BundleError

SCHEMA = 1
"""Version of the layout of all three files; a reader refuses any other."""
POLICY = "policy.onnx"
"""The policy network with its normaliser inside."""
INITIAL_STATES = "initial_states.json"
"""Where insertions should start."""
MANIFEST = "manifest.json"
"""Task, hashes, provenance and evaluation."""
HASHED = (POLICY, INITIAL_STATES)
"""Files whose SHA-256 stands in the manifest (the manifest carries its own)."""
NAMES = (*HASHED, MANIFEST)
"""All files of a bundle."""
MAX_BYTES = {POLICY: 64 << 20, INITIAL_STATES: 16 << 20, MANIFEST: 4 << 20}
"""Largest accepted size of each file, [B]."""


def check_listing(path: Path) -> None:
    """Check that a directory holds the files of a bundle and nothing else.

    Raises:
        BundleError: It is not a directory, a file is missing, or something is there that does not belong.
    """
    try:
        found = sorted(os.listdir(path))
    except FileNotFoundError:
        raise BundleError(f"{path}: expected a bundle directory, got nothing there; export one") from None
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: expected a readable bundle directory, got {error}; check the path") from None
    missing = [name for name in NAMES if name not in found]
    if missing:
        raise BundleError(
            f"{path}: expected the files {', '.join(NAMES)}, got none named {', '.join(missing)}; export again"
        )
    extra = [name for name in found if name not in NAMES]
    if extra:
        raise BundleError(
            f"{path}: expected only {', '.join(NAMES)}, got also {', '.join(map(repr, extra))}; remove what was added"
        )


def read_file(path: Path) -> bytes:
    """Read one file of a bundle whole.

    Args:
        path: One of :data:`NAMES` inside a bundle directory.

    Returns:
        Its contents.

    Raises:
        BundleError: It is missing, not a regular file, unreadable or too large.
    """
    limit = MAX_BYTES[path.name]
    try:
        # A pipe or a device in a bundle would block or never end: only regular files are opened.
        if not path.is_file():
            raise BundleError(f"{path}: expected a regular file, got something else; export the bundle again")
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise BundleError(f"{path}: expected a readable file, got {error}; check its permissions") from None
    if len(content) > limit:
        raise BundleError(f"{path}: expected at most {limit} B, got more; this is not a file Refinery wrote")
    return content


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's contents as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
