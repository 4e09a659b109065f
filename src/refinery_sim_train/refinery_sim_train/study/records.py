"""Results of units as small JSON files, outcomes of every episode included, so that any pairing can be tested later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery_sim_train.study.plan import Unit


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
        """Where a unit's result is."""
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
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise RefineryError(f"{file}: not JSON ({error}); delete it and run the study again") from None
        return found

    def done(self, unit: Unit, identity: str) -> bool:
        """Tell whether a unit's result is there and of these settings."""
        found = self.load(unit)
        return found is not None and found["identity"] == identity

    def save(self, unit: Unit, record: Mapping[str, Any]) -> None:
        """Write a unit's result, atomically."""
        file = self.file(unit)
        file.parent.mkdir(parents=True, exist_ok=True)
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        partial.replace(file)
