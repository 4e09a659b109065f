import numpy as np
import pytest

from refinery_sim_train.refine.structure import measure_structure
from refinery_sim_train.refine.success_fit import SuccessFitSpec

COUNT = 400
FIT = SuccessFitSpec(search_points=100)


@pytest.fixture(scope="module")
def drawn(task):
    return task.initial_state.deployed, task.initial_state.deployed.uniform(COUNT, np.random.default_rng(0))


def test_no_structure_stays_inside_its_null(drawn):
    box, theta = drawn
    found = measure_structure(box, theta, np.random.default_rng(1).random(COUNT) < 0.8, FIT, 0, permutations=3)
    assert found.bits.value < 0.02
    assert found.index.value < found.index.null_95 * 1.15
    assert abs(found.best_tenth.value - 0.8) < 0.1


def test_a_bad_region_is_found_by_every_measure(drawn):
    box, theta = drawn
    unit = box.to_unit(theta)
    bad = (unit[:, -1] < 0.3) & (unit[:, 0] < 0.6)
    success = np.random.default_rng(1).random(COUNT) < np.where(bad, 0.1, 0.95)
    found = measure_structure(box, theta, success, FIT, 0, permutations=3)
    assert found.bits.value > max(0.1, found.bits.null_95)
    assert found.index.value > 2 * found.index.null_95
    assert set(found.index_pair) == {box.free_names[0], box.free_names[-1]}
    assert found.best_tenth.value > 0.9 and found.worst_tenth_rate < 0.4
    assert found.worst_fifth.value > 0.5 > found.worst_fifth.null_95
