"""Loaders with every fault that fuzzing looks for, each on a share of the bundles: does it find them?"""

from __future__ import annotations

import os
import signal
import subprocess
import time
import zlib
from pathlib import Path

import numpy as np
from bundle.fuzz_worker import MOST_GROWTH_BYTES, MUTATED

from refinery.bundle import load_bundle
from refinery.errors import BundleError


def fall_into_traps(path: Path) -> None:
    """Load good bundles; with others, do what a bad loader would, one fault or another by a checksum."""
    try:
        load_bundle(path)
    except BundleError:
        content = b"".join(file.read_bytes() for file in sorted(path.iterdir()) if file.is_file())
        _TRAPS[zlib.crc32(content) % len(_TRAPS)](path)


def die(path: Path) -> None:
    """Load good bundles, and die of any other: a fault that costs the campaign a new process."""
    load_bundle(path) if path.name != MUTATED else os.kill(os.getpid(), signal.SIGSEGV)


def die_always(path: Path) -> None:
    """Die of good bundles too."""
    os.kill(os.getpid(), signal.SIGSEGV)


def hang(path: Path) -> None:
    """Load good bundles, and hang at any other."""
    load_bundle(path) if path.name != MUTATED else time.sleep(1000)


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


_TRAPS = (
    *(_wrong_error, _nameless, _unprintable, _endless_message),
    *(_program, _other_file, _code, _memory),
)
