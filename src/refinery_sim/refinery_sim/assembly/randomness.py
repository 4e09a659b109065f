"""Random numbers of an assembly: each is a function of what it is for, so that a pause or a restart changes none."""

from __future__ import annotations

import zlib

import numpy as np

from refinery.config import check


def assembly_rng(seed: int, *, step: int, attempt: int, purpose: str, tick: int = 0) -> np.random.Generator:
    """Return the generator of the random numbers for one purpose at one moment of an assembly.

    Args:
        seed: Of the run, >= 0.
        step: Index of the step, >= 0.
        attempt: Of the step, >= 0.
        purpose: What the numbers are for, such as ``jitter``.
        tick: Policy step within the attempt, >= 0; 0 for what is drawn once.

    Raises:
        ConfigError: A number is negative.
    """
    for name, value in (("seed", seed), ("step", step), ("attempt", attempt), ("tick", tick)):
        check(value >= 0, name, "a number from 0 up", value)
    words = (seed, step, attempt, zlib.crc32(purpose.encode()), tick)
    return np.random.Generator(np.random.Philox(np.random.SeedSequence(words)))
