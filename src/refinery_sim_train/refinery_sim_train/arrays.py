"""States as named plain arrays, made of parts; on disk as :mod:`refinery.npz` keeps them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.npz import Arrays, load_arrays, save_arrays

__all__ = ["Arrays", "digest", "load_arrays", "prefixed", "save_arrays", "under"]


def prefixed(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return the arrays as a part of a larger state; ``/`` separates the parts."""
    return {f"{prefix}/{key}": value for key, value in arrays.items()}


def under(prefix: str, arrays: Mapping[str, NDArray[Any]]) -> Arrays:
    """Return a part of a state: the inverse of :func:`prefixed`."""
    return {key.removeprefix(f"{prefix}/"): value for key, value in arrays.items() if key.startswith(f"{prefix}/")}


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """SHA-256 of names, types, shapes and values; the same however the arrays are compressed."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
        found.update(np.ascontiguousarray(array).tobytes())
    return found.hexdigest()
