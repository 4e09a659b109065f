"""Whose checkout this is, and what to say where this user cannot set it up."""

from __future__ import annotations

import errno
import os
import pwd
from pathlib import Path

from console import SetupError

UNWRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
"""What the system says where nothing can be written."""
_PARTS = (".venv", "build", "install", "log")


def check_ours(root: Path) -> None:
    """Check that this user can write what the set-up makes; a checkout that is set up already needs no more of it.

    Args:
        root: The workspace.

    Raises:
        SetupError: It is another user's, or on a file system that is read-only.
    """
    for place in (root, *(root / name for name in _PARTS)):
        if not os.path.lexists(place):
            continue
        # Not only by permissions: a file system that is read-only refuses as well.
        if not os.access(place, os.W_OK | os.X_OK):
            read_only = bool(os.statvfs(root).f_flag & os.ST_RDONLY)
            raise unwritable(OSError(errno.EROFS if read_only else errno.EACCES, "", str(place)), root)


def unwritable(error: OSError, root: Path) -> SetupError:
    """Say what could not be written, whose it is, and what to do.

    Args:
        error: What the system said.
        root: The workspace.
    """
    place = Path(error.filename or root)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SetupError(
            f"no space is left for {place}",
            "free some disk space (about 3 GB are needed), then run the same command again: it resumes",
        )
    if error.errno == errno.EROFS:
        return SetupError(
            f"expected to write {place}, got a file system that is read-only",
            "work in a clone on another file system",
        )
    me, owner, whose = _name(os.geteuid()), _owner(place), _owner(root)
    mine = me == whose != owner
    return SetupError(
        f"expected to use {place} as {me}, but it belongs to {owner}, and the checkout {root} to {whose}",
        f"take it back: sudo chown -R {me} {place}" if mine else "work in a clone of your own",
    )


def _owner(path: Path) -> str:
    try:
        return _name(path.lstat().st_uid)
    except OSError:
        return "a user who cannot be told"


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"
