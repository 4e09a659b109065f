from __future__ import annotations

import numpy as np
import pytest
from report.synthetic import demo_data, truth

from refinery_evaluation.report.formatting import free_dimensions
from refinery_evaluation.report.metrics import (
    along,
    calibration,
    entropy_bits,
    flips,
    map_dimensions,
    predict,
    surface,
    worst_fifth,
)


def test_the_map_shows_the_dimensions_with_the_shortest_length_scales() -> None:
    assert [d.name for d in map_dimensions(demo_data(episodes=20, trials=0))] == ["yaw", "pitch"]


def test_free_dimensions_are_shown_in_millimetres_and_degrees() -> None:
    data = demo_data(episodes=20, trials=0)
    dims = free_dimensions(data.box)
    assert [d.label for d in dims] == ["x [mm]", "y [mm]", "roll [deg]", "pitch [deg]", "yaw [deg]"]
    theta = np.array([[0.001, 0.002, 0.035, 0.0, np.pi / 18, np.pi / 6, 0, 0, 0]])
    assert [float(d.shown(theta)[0]) for d in dims] == pytest.approx([1, 2, 0, 10, 30])


def test_the_surface_is_the_prediction_where_nothing_else_matters() -> None:
    data = demo_data(episodes=20, trials=0)
    flat = data.base_model
    across, up = map_dimensions(data)
    columns, rows, mean = surface(flat, across, up, cells=9)
    rng = np.random.default_rng(0)
    theta = data.box.uniform(4000, rng)
    theta[:, across.index] = columns[6] / across.factor
    theta[:, up.index] = rows[2] / up.factor
    assert mean[2, 6] == pytest.approx(float(predict(flat, theta).mean()), abs=0.01)


def test_worst_fifth_counts_a_fifth_and_finds_the_bad_region() -> None:
    data = demo_data()
    found = worst_fifth(data)
    assert found is not None
    before, after = found
    assert before.n == after.n == len(data.base_theta) // 5
    assert before.value < data.base.value - 0.15
    assert worst_fifth(demo_data(episodes=20, trials=0)) is None


def test_bins_hold_every_episode_once() -> None:
    data = demo_data()
    bins = calibration(data.base_model, data.base_theta, data.base_strict)
    assert sum(b.rate.n for b in bins) == data.base.n
    assert sum(b.rate.k for b in bins) == data.base.k
    assert [b.centre for b in bins] == sorted(b.centre for b in bins)
    for dim in free_dimensions(data.box):
        parts = along(data, dim, data.base_theta, data.base_strict)
        assert (sum(b.rate.k for b in parts), sum(b.rate.n for b in parts)) == (data.base.k, data.base.n)


def test_a_true_prediction_is_found_calibrated() -> None:
    """The synthetic model is fitted to the truth, so most intervals contain it."""
    data = demo_data(episodes=4096, trials=0)
    rng = np.random.default_rng(3)
    rate = np.clip(predict(data.base_model, data.base_theta), 0, 1)
    bins = calibration(data.base_model, data.base_theta, rng.random(len(rate)) < rate)
    assert sum(b.holds for b in bins) >= 6
    assert truth(data.box, data.base_theta, 0.75).shape == rate.shape


def test_flips_add_up_to_the_difference() -> None:
    data = demo_data()
    changed = flips(data)
    assert changed is not None
    assert changed[0] - changed[1] == data.refined.k - data.base.k
    assert flips(demo_data(refined_theta=data.base_theta + 1e-6)) is None


@pytest.mark.parametrize(("rate", "bits"), [(0.0, 0.0), (1.0, 0.0), (0.5, 1.0)])
def test_entropy(rate: float, bits: float) -> None:
    assert entropy_bits(rate) == pytest.approx(bits)
