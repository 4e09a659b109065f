"""Loaders with every fault that fuzzing looks for, each on a share of the bundles: does it find them?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
from bundle.fuzz_worker import MOST_GROWTH_BYTES

from refinery.bundle import load_bundle
from refinery.errors import BundleError


def fall_into_traps(path: Path) -> None:
    """Load good bundles; with others, do what a bad loader would."""
    try:
        load_bundle(path)
    except BundleError:
        content = b"".join(file.read_bytes() for file in sorted(path.iterdir()) if file.is_file())
        _TRAPS.get(zlib.crc32(content) % 40, _fine)(path)


def _wrong_error(path: Path) -> None:
    raise KeyError("mixture")


def _nameless(path: Path) -> None:
    raise BundleError("something is wrong")


def _unprintable(path: Path) -> None:
    raise BundleError(f"{path}: expected a name, got \x1b[31m")


def _endless_message(path: Path) -> None:
    raise BundleError(f"{path}: {'x' * 10_000}")


def _program(path: Path) -> None:
    subprocess.run(["true"], check=True)


def _other_file(path: Path) -> None:
    Path(__file__).read_bytes()


def _code(path: Path) -> None:
    eval("1 + 1")


def _memory(path: Path) -> None:
    np.ones(MOST_GROWTH_BYTES // 4, np.float64)


def _death(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _hang(path: Path) -> None:
    time.sleep(1000)


def _fine(path: Path) -> None:
    load_bundle(path)


_TRAPS = {
    **dict.fromkeys(range(0, 3), _wrong_error),
    **dict.fromkeys(range(3, 6), _nameless),
    **dict.fromkeys(range(6, 9), _unprintable),
    **dict.fromkeys(range(9, 12), _endless_message),
    **dict.fromkeys(range(12, 15), _program),
    **dict.fromkeys(range(15, 18), _other_file),
    **dict.fromkeys(range(18, 21), _code),
    **dict.fromkeys(range(21, 24), _memory),
    24: _death,
    25: _hang,
}
"""By the remainder of a checksum; those that cost a new process are rare."""
