"""Files are written whole or not at all; a place that takes none is named, with the reason and what to do.

Everything that Refinery keeps goes through :func:`replacing` or :func:`write_whole` (a test looks for other writers): a
kill, a power cut or a full disk leaves the old file or none, never half of one that looks like a whole one.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from refinery.errors import DamagedFileError, RefineryError, StorageError

ADVICE = "free some space or make it writable, or choose another place"
"""What to do where there is no better advice."""
_REASONS = {
    errno.ENOSPC: "no space is left on that file system",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "it is larger than a file may be here (`ulimit -f`)",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not write there",
    errno.ENOENT: "the folder is not there and cannot be made",
    errno.ENOTDIR: "there is a file where a folder is needed",
    errno.EEXIST: "there is a file where a folder is needed",
    errno.EISDIR: "there is a folder of that name",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EIO: "the device failed (an input/output error)",
}


def storage_error(path: object, error: OSError, todo: str = ADVICE) -> StorageError:
    """Say why something could not be written.

    Args:
        path: What it was.
        error: What the system said; a :class:`StorageError` is handed on as it is.
        todo: What to do.
    """
    if isinstance(error, StorageError):
        return error
    reason = _REASONS.get(error.errno or 0) or " ".join(str(error.strerror or error).split())
    return StorageError(path, reason, todo)


def about_storage(error: OSError) -> bool:
    """Tell whether an error is about no room for what was to be written, whoever wrote it."""
    return isinstance(error, StorageError) or error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)


@contextlib.contextmanager
def replacing(path: Path, todo: str = ADVICE) -> Iterator[BinaryIO]:
    """Open a file to write; what is written replaces the old file when the block ends, if it ends well.

    Args:
        path: The file; its folder is created. A link stays and its target is replaced; a device or pipe is written to.
        todo: What to do if it cannot be written.

    Raises:
        StorageError: It cannot be written.
    """
    try:
        target = Path(path).resolve()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and not target.is_file():
            with target.open("wb") as file:
                yield file
            return
        # In the same folder, so that it can be renamed; of its own name, so that two writers do not mix.
        partial = target.with_name(f".{target.name[:150]}.{os.getpid()}-{threading.get_ident()}.partial")
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, target)
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
    except OSError as error:
        raise storage_error(path, error, todo) from error


def write_whole(path: Path, content: bytes | str, todo: str = ADVICE) -> None:
    """Write a file whole or not at all; text as UTF-8.

    Raises:
        StorageError: It cannot be written.
    """
    with replacing(path, todo) as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)


def append_line(path: Path, line: str) -> None:
    """Add a line to a log; who reads it expects that the last one may be cut off (:func:`read_lines`).

    Raises:
        StorageError: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(line.encode("utf-8") + b"\n")
    except OSError as error:
        raise storage_error(path, error) from error


def check_writable(folder: Path, todo: str = ADVICE) -> None:
    """Make a folder and see that files can be written there, before work begins that would be lost.

    Raises:
        StorageError: They cannot.
    """
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(1024))
            file.flush()
    except OSError as error:
        raise storage_error(folder, error, todo) from error


def read_bytes(path: Path) -> bytes:
    """Read a file whole.

    Raises:
        FileNotFoundError: It is not there.
        RefineryError: It cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        raise
    except OSError as error:
        raise RefineryError(f"{path}: could not be read: {error.strerror}; make it readable") from error


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object that Refinery wrote.

    Raises:
        FileNotFoundError: It is not there.
        RefineryError: It cannot be read.
        DamagedFileError: It is not one, or has a key twice.
    """
    try:
        found = json.loads(read_bytes(path), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise DamagedFileError(f"{path}: expected JSON, got {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, dict):
        raise DamagedFileError(f"{path}: expected a JSON object, got a {type(found).__name__}")
    return found


def read_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read a log of JSON objects, one a line.

    Returns:
        The objects up to the first line that is none, and how many lines were left out.

    Raises:
        RefineryError: It is there but cannot be read.
    """
    try:
        lines = read_bytes(path).splitlines()
    except FileNotFoundError:
        return [], 0
    rows: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line, object_pairs_hook=_unique)
        except (ValueError, RecursionError):
            break
        if not isinstance(row, dict):
            break
        rows.append(row)
    return rows, len(lines) - len(rows)


def resume_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Read a log of JSON objects to go on writing it; damaged lines are cut off, so that no new one is glued to them.

    Returns:
        As :func:`read_lines`.

    Raises:
        RefineryError: It cannot be read.
        StorageError: It cannot be written.
    """
    rows, damaged = read_lines(path)
    if damaged:
        write_whole(path, "".join(f"{json.dumps(row)}\n" for row in rows))
    return rows, damaged


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} twice")
    return result
