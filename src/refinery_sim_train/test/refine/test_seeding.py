import itertools

import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery_sim_train.refine.seeding import STREAMS, stream_seed, uniform_starts
from refinery_sim_train.settings import read_task


def test_streams_of_seeds_never_meet():
    keys = list(itertools.product(("peg_rect", "hexagon"), STREAMS, (0, 1, 9999), (0, 1, 999)))
    seeds = {stream_seed(*key) for key in keys}
    assert len(seeds) == len(keys) and all(0 <= seed < 2**63 for seed in seeds)
    # Generators that want 31 bits get different ones, too.
    assert len({seed % 2**31 for seed in seeds}) == len(keys)
    assert stream_seed("peg_rect", "test", 1, 2) == stream_seed("peg_rect", "test", 1, 2)


@pytest.mark.parametrize("key", [("t", "test", 10_000, 0), ("t", "test", -1, 0), ("t", "test", 0, 1000), ("t", "x", 0)])
def test_what_is_no_stream_is_refused(key):
    with pytest.raises(ConfigError):
        stream_seed(*key)


def test_tasks_start_elsewhere_and_each_at_the_same_place_again():
    box = read_task("peg_rect").initial_state.deployed
    one, again, other = (uniform_starts(name, box, 64, "test", 0) for name in ("a", "a", "b"))
    assert np.array_equal(one, again) and not np.any(np.all(one == other, axis=1))
