"""A user whom permissions bind, whoever runs the tests, and a place that this user can reach."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


def bound(command: Sequence[str | Path], **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command as a user whom permissions bind: as nobody where the tests run as root."""
    words = [str(word) for word in command]
    if os.geteuid() == 0:
        words = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words]
    return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, **options)


@contextmanager
def reachable() -> Iterator[Path]:
    """Make a folder that everybody may enter; pytest's own may be entered by its user only."""
    folder = Path(tempfile.mkdtemp(prefix="refinery-other-user-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for path in folder.rglob("*"):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
        shutil.rmtree(folder)
