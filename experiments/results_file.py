"""Results files of the experiments: JSON objects, merged key by key, that say where their figures come from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from refinery.storage import read_json, write_whole
from refinery_sim_train.provenance import typed_words


def read_results(path: Path) -> dict[str, Any]:
    """Return the contents of a results file; empty if there is none.

    Raises:
        DamagedFileError: It is no JSON object.
    """
    return read_json(path) if path.exists() else {}


def merge_results(path: Path, figures: dict[str, Any]) -> None:
    """Write figures into a results file; other keys in it are kept.

    Raises:
        DamagedFileError: The file there is no JSON object.
        StorageError: It cannot be written.
    """
    write_whole(path, json.dumps(read_results(path) | figures, indent=2) + "\n")


def campaign_origin(facts: dict[str, Any], target: str) -> dict[str, Any]:
    """Return what a campaign's results say about where they come from.

    Args:
        facts: Of :func:`refinery_sim_train.provenance.provenance`.
        target: Target of the Makefile that this process runs for.
    """
    words = " ".join(typed_words())
    return {
        "seed": facts["seed"],
        "commit": facts["git_revision"],
        "dirty": facts["dirty"],
        "date": facts["date"],
        "machine": facts["machine"],
        "command": f"make {target}" + (f' ARGS="{words}"' if words else ""),
    }
