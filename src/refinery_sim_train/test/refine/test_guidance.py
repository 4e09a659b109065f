import numpy as np
import pytest

from refinery_sim_train.refine.guidance import GuidanceEvidence, hard_region_note, measure_guidance
from refinery_sim_train.refine.success_fit import SuccessFitSpec

FIT = SuccessFitSpec(search_points=100)


def measured(box, bad, n=500):
    """Evidence where a corner of one dimension mostly fails."""
    rng = np.random.default_rng(0)
    theta = box.uniform(n, rng)
    success = rng.random(n) < np.where(box.to_unit(theta)[:, -1] < bad, 0.05, 0.98)
    return measure_guidance(box, theta, success, FIT, 0)


def test_a_small_region_that_mostly_fails_is_worth_guidance(task):
    found = measured(task.initial_state.deployed, bad=0.08)
    assert found.bits > 0.1 and found.enrichment > 4 and 0.04 < found.cost < 0.1
    assert found.pays


def test_failures_everywhere_or_in_half_of_the_box_are_not(task):
    box = task.initial_state.deployed
    everywhere, half = measured(box, bad=0.0), measured(box, bad=0.5)
    assert abs(everywhere.bits) < 0.05 and everywhere.cost < 0.02 and not everywhere.pays
    assert half.cost > 0.4 and half.enrichment < 2.5 and not half.pays


@pytest.mark.parametrize(("enrichment", "cost", "pays"), [(3, 0.02, True), (2.9, 0.5, False), (9, 0.019, False)])
def test_guidance_needs_both_findable_and_costly_failures(enrichment, cost, pays):
    assert GuidanceEvidence(bits=0.1, enrichment=enrichment, cost=cost).pays is pays


@pytest.mark.parametrize(
    ("k", "n", "word"), [(0, 0, "no validation episode"), (4, 9, "not learnt"), (5, 9, "won there; learnt")]
)
def test_the_hard_region_is_reported(k, n, word):
    assert word in hard_region_note(np.arange(n) < k)
