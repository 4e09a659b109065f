"""States as named plain arrays, on disk without pickling and written whole or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]
"""A state as named plain arrays; ``/`` in a name separates the parts it is made of."""


def prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return the arrays as a part of a larger state."""
    return {f"{prefix}/{key}": value for key, value in arrays.items()}


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return a part of a state: the inverse of :func:`prefixed`."""
    return {key.removeprefix(f"{prefix}/"): value for key, value in arrays.items() if key.startswith(f"{prefix}/")}


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, compress: bool = True) -> None:
    """Write arrays as ``.npz``, atomically; without compression it is several times faster."""
    partial = path.with_suffix(".partial.npz")
    path.parent.mkdir(parents=True, exist_ok=True)
    write = np.savez_compressed if compress else np.savez
    write(partial, **arrays)  # type: ignore[arg-type]
    partial.replace(path)


def load_arrays(path: Path) -> Arrays:
    """Read what :func:`save_arrays` wrote; raises what numpy raises on a missing or damaged file."""
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of names, types, shapes and values; the same however the arrays are compressed."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
