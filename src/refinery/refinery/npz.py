"""Named arrays in one file (``.npz``): never pickled, written whole or not at all, and read whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.errors import DamagedFileError
from refinery.storage import read_bytes, replacing

Arrays = dict[str, NDArray[Any]]
"""Plain arrays by name."""


def save_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, compress: bool = True) -> None:
    """Write arrays, whole or not at all; without compression it is several times faster.

    Raises:
        StorageError: They cannot be written.
    """
    write = np.savez_compressed if compress else np.savez
    with replacing(path) as file:
        write(file, **arrays)  # type: ignore[arg-type]


def load_arrays(path: Path) -> Arrays:
    """Read what :func:`save_arrays` wrote.

    Raises:
        FileNotFoundError: It is not there.
        RefineryError: It cannot be read.
        DamagedFileError: It is not such a file, or not all of one.
    """
    content = io.BytesIO(read_bytes(path))
    try:
        with np.load(content, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
            twice = len(stored.files) - len(arrays)
    except Exception as error:
        # zipfile, zlib and numpy have a dozen ways to say so.
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise DamagedFileError(f"{path}: expected arrays (.npz), got a damaged file ({said})") from error
    if twice:
        raise DamagedFileError(f"{path}: expected every array once, got {twice} of them twice")
    return arrays
