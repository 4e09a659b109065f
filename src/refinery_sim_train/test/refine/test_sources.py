import numpy as np
import pytest

from refinery_sim_train.refine.acquire import AcquisitionSpec
from refinery_sim_train.refine.sources import (
    SOURCES,
    TRIAL_EPISODES,
    GuidedSource,
    ResampledSource,
    RevocableSource,
    UniformSource,
    training_source,
)
from refinery_sim_train.refine.success_fit import SuccessFitSpec, fit_success_model

FIT = SuccessFitSpec(search_points=200)


def outcomes(box, rng, n=600, bad=0.15):
    """Episodes that fail mostly where the last free dimension is small."""
    theta = box.uniform(n, rng)
    return theta, rng.random(n) < np.where(box.to_unit(theta)[:, -1] < bad, 0.1, 0.97)


def in_bad_region(box, source):
    return float((box.to_unit(source(4000, np.random.default_rng(1)))[:, -1] < 0.15).mean())


def test_uniform_covers_the_box(task):
    box = task.initial_state.deployed
    assert abs(in_bad_region(box, UniformSource(box)) - 0.15) < 0.02


def test_guidance_starts_uniform_and_then_seeks_the_bad_region(task):
    box = task.initial_state.deployed
    source = GuidedSource(box, 1024, AcquisitionSpec(), FIT)
    source.refit(0)
    assert abs(in_bad_region(box, source) - 0.15) < 0.02
    source.observe(*outcomes(box, np.random.default_rng(0)))
    source.refit(0)
    assert in_bad_region(box, source) > 0.35


def test_guidance_follows_a_policy_that_has_learned(task):
    box, rng = task.initial_state.deployed, np.random.default_rng(0)
    source = GuidedSource(box, 600, AcquisitionSpec(), FIT)
    source.observe(*outcomes(box, rng))
    source.refit(0)
    before = in_bad_region(box, source)
    theta = box.uniform(600, rng)
    source.observe(theta, rng.random(600) < 0.95)
    source.refit(1)
    assert in_bad_region(box, source) < before / 2


def test_the_resampled_control_repeats_failures_beside_its_uniform_share(task):
    box = task.initial_state.deployed
    source = ResampledSource(box, 1024, uniform_share=0.25)
    theta, success = outcomes(box, np.random.default_rng(0))
    source.observe(theta, success)
    source.refit(0)
    drawn = source(4000, np.random.default_rng(1))
    known = {tuple(row) for row in theta[~success]}
    assert abs(np.mean([tuple(row) in known for row in drawn]) - 0.75) < 0.03


def test_every_source_has_its_name(task):
    box = task.initial_state.deployed
    made = [type(training_source(name, box, 64, AcquisitionSpec(), FIT)) for name in SOURCES[1:]]
    assert made == [UniformSource, ResampledSource, GuidedSource]


def revocable(box):
    theta, success = outcomes(box, np.random.default_rng(0))
    return RevocableSource(box, 600, FIT, fit_success_model(box, theta, success, FIT, 0), theta, success)


@pytest.mark.parametrize("learnt", [True, False])
def test_guidance_ends_where_nothing_is_learnt_in_the_hard_region(task, learnt):
    box, rng = task.initial_state.deployed, np.random.default_rng(1)
    source = revocable(box)
    source.refit(0)
    assert in_bad_region(box, source) > 0.25
    theta = box.uniform(6000, rng)
    theta = theta[box.to_unit(theta)[:, -1] < 0.13][: 2 * TRIAL_EPISODES]
    source.observe(theta, rng.random(len(theta)) < (0.5 if learnt else 0.1))
    source.refit(1)
    assert source.guiding is learnt
    again = revocable(box)
    again.restore({key: value.copy() for key, value in source.snapshot().items()})
    again.refit(1)
    assert np.array_equal(again(100, np.random.default_rng(5)), source(100, np.random.default_rng(5)))
    if not learnt:
        assert abs(in_bad_region(box, source) - 0.15) < 0.02


@pytest.mark.parametrize("kind", ["guided", "resampled"])
def test_a_restored_source_draws_the_same(task, kind):
    box = task.initial_state.deployed

    def make():
        if kind == "guided":
            return GuidedSource(box, 500, AcquisitionSpec(), FIT)
        return ResampledSource(box, 500, 0.3)

    first, second = make(), make()
    first.observe(*outcomes(box, np.random.default_rng(0)))
    second.restore({key: value.copy() for key, value in first.snapshot().items()})
    for source in (first, second):
        source.refit(3)
    rng = np.random.default_rng
    assert np.array_equal(first(100, rng(5)), second(100, rng(5)))
