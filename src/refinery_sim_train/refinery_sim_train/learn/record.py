"""The record of what weights were trained with, stored in the same file as an array."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.trained_with import TrainedWith
from refinery_sim_train.arrays import Arrays

TRAINED_WITH = "trained_with"
"""Name of the array: UTF-8 JSON, which needs no pickle."""


def record_of(trained_with: TrainedWith | None) -> Arrays:
    """Return the array to store with weights; none without a record."""
    if trained_with is None:
        return {}
    return {TRAINED_WITH: np.frombuffer(json.dumps(to_mapping(trained_with)).encode(), dtype=np.uint8)}


def record_from(arrays: Mapping[str, NDArray[Any]], source: object) -> TrainedWith | None:
    """Read the record among stored arrays; None in files from before there was one.

    Raises:
        ConfigError: It is damaged, or of another observation or action.
    """
    if TRAINED_WITH not in arrays:
        return None
    try:
        raw = json.loads(arrays[TRAINED_WITH].tobytes())
    except ValueError as error:
        raise ConfigError(source, TRAINED_WITH, "JSON", " ".join(str(error).split()), "train it anew") from None
    return from_mapping(raw, TrainedWith, source=source, prefix=TRAINED_WITH)
