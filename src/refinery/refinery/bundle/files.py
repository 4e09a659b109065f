"""The files of a bundle and how they are read: once, whole, and never more than a stated size."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from refinery.errors import BundleError

SCHEMA = 2
"""Version of the layout of all files; a reader refuses any other."""
POLICY = "policy.onnx"
"""The policy network with its normaliser inside."""
INITIAL_STATES = "initial_states.json"
"""Where insertions should start."""
PART = "part.json"
"""The shape of the held part: symmetry, extent and convex pieces."""
MANIFEST = "manifest.json"
"""Task, hashes, provenance and evaluation."""
ENVELOPE = "envelope.json"
"""What the policy saw in its evaluation, and how far from it is too far; a bundle may do without."""
HASHED = (POLICY, INITIAL_STATES, PART)
"""Files whose SHA-256 stands in the manifest (the manifest carries its own)."""
NAMES = (*HASHED, MANIFEST)
"""Files that every bundle has."""
OPTIONAL = (ENVELOPE,)
"""Files that a bundle may have; the manifest names and hashes those it has."""
MAX_BYTES = {POLICY: 64 << 20, INITIAL_STATES: 4 << 20, PART: 4 << 20, ENVELOPE: 1 << 20, MANIFEST: 1 << 20}
"""Largest accepted size of each file, [B]."""


def check_listing(path: Path) -> tuple[str, ...]:
    """Check that a directory holds the files of a bundle and nothing else.

    Returns:
        The optional files that are there.

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
            f"{path}: expected the files {', '.join(NAMES)} (schema {SCHEMA}), got none named {', '.join(missing)}; "
            "export again, too if an older version of Refinery wrote it"
        )
    extra = [ascii(name) for name in found if name not in (*NAMES, *OPTIONAL)]
    if extra:
        more = f" and {len(extra) - 3} more" if len(extra) > 3 else ""
        raise BundleError(
            f"{path}: expected only {', '.join(NAMES)}, got also {', '.join(extra[:3])}{more}; remove what was added"
        )
    return tuple(name for name in OPTIONAL if name in found)


def read_file(path: Path, limit: int) -> bytes:
    """Read a file whole.

    Args:
        path: The file.
        limit: Largest accepted size, [B].

    Returns:
        Its contents.

    Raises:
        BundleError: It is missing, not a regular file, unreadable or too large.
    """
    try:
        # A pipe or a device would block or never end: what was opened is looked at before it is read.
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BundleError(f"{path}: expected a regular file, got something else; export the bundle again")
            content = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: expected a readable file, got {error}; check its permissions") from None
    if len(content) > limit:
        raise BundleError(f"{path}: expected at most {limit} B, got more; this is not a file Refinery wrote")
    return content


def sha256(content: bytes) -> str:
    """Return the SHA-256 of a file's contents as 64 hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()
