"""Random numbers of an assembly depend on what they are for and on nothing that was drawn before."""

import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery_sim.assembly.randomness import assembly_rng

MOMENT = {"step": 1, "attempt": 0, "purpose": "jitter", "tick": 7}


def test_the_same_moment_gives_the_same_numbers_whatever_came_before():
    first = assembly_rng(3, **MOMENT).normal(size=4)
    assembly_rng(3, **MOMENT | {"tick": 6}).normal(size=100)
    assert np.array_equal(assembly_rng(3, **MOMENT).normal(size=4), first)


@pytest.mark.parametrize("change", [{"step": 2}, {"attempt": 1}, {"purpose": "theta"}, {"tick": 8}])
def test_any_other_moment_gives_other_numbers(change):
    assert not np.array_equal(
        assembly_rng(3, **MOMENT).normal(size=4), assembly_rng(3, **MOMENT | change).normal(size=4)
    )
    assert not np.array_equal(assembly_rng(3, **MOMENT).normal(size=4), assembly_rng(4, **MOMENT).normal(size=4))


def test_negative_numbers_are_refused():
    with pytest.raises(ConfigError, match=r"attempt: expected a number from 0 up"):
        assembly_rng(3, **MOMENT | {"attempt": -1})
