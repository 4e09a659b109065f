"""Observation statistics keep their false-stop limit on new episodes, ignore one outlier, and find faults."""

import numpy as np
import pytest

from refinery.bundle import load_bundle
from refinery.observation import OBSERVATION_SIZE
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine import observation_statistics_fit
from refinery_sim_train.refine.observation_statistics_fit import fit_observation_statistics, needed_episodes
from refinery_sim_train.refine.package import Packager
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.settings import read_preset
from refinery_sim_train.weights import shipped_base

STEPS = 40


def episodes(count, seed):
    """Values that wander, each its own way, with heavy tails and one that follows another closely."""
    rng = np.random.default_rng(seed)
    shock = rng.standard_t(6, (STEPS, count, OBSERVATION_SIZE))
    values = np.zeros_like(shock)
    for step in range(1, STEPS):
        values[step] = 0.8 * values[step - 1] + 0.6 * shock[step]
    values[:, :, 17] = 0.5 * values[:, :, 2] + 0.02 * values[:, :, 17]
    # Where the time is.
    values[:, :, -1] = np.linspace(1, 0, STEPS)[:, None]
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def envelope():
    return fit_observation_statistics(episodes(1000, seed=0))


def test_hardly_any_fresh_episode_is_stopped(envelope):
    fresh = episodes(2000, seed=1)
    assert envelope.stops(fresh).mean() < 0.005
    assert (~envelope.bounded(fresh[0])).mean() < 0.005
    assert envelope.evidence["false_stops"]["n"] == 200
    assert (envelope.evidence["fit_episodes"], envelope.evidence["calibration_episodes"]) == (350, 450)


@pytest.mark.parametrize("seed", range(5))
def test_what_it_says_of_itself_holds_for_others(seed):
    found = fit_observation_statistics(episodes(needed_episodes() + 100, seed=10 + seed))
    assert found.evidence["false_stops"]["k"] <= 2
    assert found.stops(episodes(1000, seed=100 + seed)).mean() < 0.01


def test_too_few_episodes_promise_nothing():
    needed = needed_episodes()
    assert needed == 443 and needed_episodes(0.05) < 50
    assert fit_observation_statistics(episodes(needed - 1, seed=0)) is None
    assert fit_observation_statistics(episodes(needed, seed=0)) is not None
    assert fit_observation_statistics(episodes(1000, seed=0)[:2]) is None


def test_an_envelope_that_breaks_its_promise_is_not_used(monkeypatch):
    monkeypatch.setattr(observation_statistics_fit, "_BOUND_FACTOR", 0.3)
    assert fit_observation_statistics(episodes(1000, seed=0)) is None


@pytest.mark.parametrize("wild", [0, 500, 999])
def test_one_wild_episode_widens_little(envelope, wild):
    given = episodes(1000, seed=0)
    given[10:20, wild, 4] = 1e4
    found = fit_observation_statistics(given)
    assert found.max_distance < 1.3 * envelope.max_distance
    assert np.all(found.high - found.low < 1.3 * (envelope.high - envelope.low))


def test_faults_are_found(envelope):
    def stopped(change):
        given = episodes(100, seed=2)
        change(given)
        return envelope.stops(given).mean()

    def swap(given):
        given[20:, :, 17] *= -1

    def shift(given):
        given[30:, :, 4] += 25

    def stand_still(given):
        given[10:, :, -1] = 3.0

    assert stopped(shift) == stopped(stand_still) == 1.0
    assert stopped(swap) > 0.9
    assert stopped(lambda given: None) == 0.0


def test_starts_a_little_outside_are_within_the_bounds(envelope):
    edge = np.quantile(episodes(1000, seed=0).reshape(-1, OBSERVATION_SIZE), [0.002, 0.998], axis=0)
    assert np.all(envelope.low[:3] < edge[0, :3] - [0.8, 0.8, 0.5]) and np.all(envelope.high[6:9] > edge[1, 6:9] + 0.5)


def test_packaging_writes_the_envelope_or_says_why_not(task, tmp_path, monkeypatch):
    base, spec, said = Agent.load(shipped_base(task)), read_preset("smoke"), []
    # What was measured for the first bundle is read again for the second.
    folder = RunFolder(tmp_path / "run", {"seed": 1}, resume=False)
    packager = Packager(task, make_env(task, spec.environments), base, spec, 1, folder)

    def package(name):
        return packager.package(tmp_path / name, base, 0, {}, said.append)

    without = load_bundle(package("few").bundle)
    assert without.envelope is None
    assert any("no observation statistics: 16 episodes of the 443 needed" in text for text in said)
    monkeypatch.setattr(observation_statistics_fit, "FALSE_STOPS", 0.4)
    made = load_bundle(package("enough").bundle).envelope
    assert made is not None and made.evidence["promised"] == 0.4
    assert any(text.startswith("observation statistics: would have stopped ") for text in said)
