"""Results of units as small JSON files, outcomes of every episode included, so that any pairing can be tested later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.study.plan import Unit
from refinery.errors import DamagedFileError, RefineryError
from refinery.storage import read_json, write_whole

_AGAIN = "delete it and run the study again"


def pack_outcomes(success: NDArray[np.bool_]) -> dict[str, Any]:
    """Successes k of n with every single outcome as bits in hexadecimal."""
    return {"k": int(success.sum()), "n": int(success.size), "bits": np.packbits(success).tobytes().hex()}


def unpack_outcomes(record: Mapping[str, Any]) -> NDArray[np.bool_]:
    """Inverse of :func:`pack_outcomes`, shape (n,)."""
    raw = np.frombuffer(bytes.fromhex(record["bits"]), dtype=np.uint8)
    return np.unpackbits(raw, count=int(record["n"])).astype(bool)


class Records:
    """The results of a study, one folder a task, one file a unit.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, unit: Unit) -> Path:
        """File of a unit's result."""
        return self.path / unit.task / f"{unit.name}.json"

    def load(self, unit: Unit) -> dict[str, Any] | None:
        """A unit's result, or None where there is none.

        Raises:
            RefineryError: The file is there but damaged.
        """
        file = self.file(unit)
        if not file.exists():
            return None
        try:
            found = read_json(file)
        except DamagedFileError as error:
            raise RefineryError(f"{error}; {_AGAIN}") from None
        if not isinstance(found.get("identity"), str):
            raise RefineryError(f"{file}: expected the identity of a result, got none; {_AGAIN}")
        return found

    def done(self, unit: Unit, identity: str) -> bool:
        """Tell whether a unit's result is there and of these settings."""
        found = self.load(unit)
        return found is not None and found["identity"] == identity

    def save(self, unit: Unit, record: Mapping[str, Any]) -> None:
        """Write a unit's result, atomically."""
        write_whole(self.file(unit), json.dumps(record, indent=1) + "\n")
