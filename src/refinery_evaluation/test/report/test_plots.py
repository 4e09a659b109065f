from __future__ import annotations

import dataclasses
import io

import matplotlib
import numpy as np
import pytest
from PIL import Image
from report.synthetic import demo_data

from refinery.initial_state import THETA_NAMES, BoxSpec, InitialStateSpec
from refinery.mixture import Mixture
from refinery.success_model import SuccessModel
from refinery_evaluation.report import DemoData
from refinery_evaluation.report.plot_learning import learning_points
from refinery_evaluation.report.plots import conditions, learning_curve, marginals, reliability, success_map


def pixels(png: bytes | None) -> np.ndarray:
    assert png is not None
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return np.asarray(image, dtype=np.float64)


def assert_drawn(png: bytes | None) -> None:
    """Wide enough, and neither blank nor cut off at its right border."""
    image = pixels(png)
    assert image.shape[1] >= 900
    assert image.std() > 10
    assert image[:, -3:].std() < 1, "something is drawn over the right border"


def all_of(value: bool) -> DemoData:
    outcome = np.full(64, value)
    return demo_data(episodes=64, trials=2, base_strict=outcome, refined_strict=outcome)


@pytest.mark.parametrize("plot", [success_map, conditions, reliability, marginals])
@pytest.mark.parametrize(
    "data",
    [demo_data(), demo_data(episodes=64, trials=0), demo_data(episodes=1, trials=1), all_of(True), all_of(False)],
    ids=["usual", "no trials", "one episode", "all succeed", "all fail"],
)
def test_every_plot_is_drawn(plot, data: DemoData) -> None:
    assert_drawn(plot(data))


def test_the_same_data_give_the_same_bytes_and_leave_no_trace() -> None:
    before = dict(matplotlib.rcParams)
    data = demo_data(episodes=64, trials=2)
    assert conditions(data) == conditions(data)
    assert dict(matplotlib.rcParams) == before


def test_one_free_dimension_has_no_map_but_all_other_plots() -> None:
    data = with_free(demo_data(episodes=64, trials=1), ("yaw",))
    assert success_map(data) is None
    for plot in (conditions, reliability, marginals):
        assert_drawn(plot(data))


def test_all_dimensions_free_leave_room_for_the_legend() -> None:
    assert_drawn(marginals(with_free(demo_data(episodes=64, trials=1), THETA_NAMES)))


def with_free(data: DemoData, names: tuple[str, ...]) -> DemoData:
    """The same data with other free dimensions, and models and a mixture without knowledge."""
    free = np.isin(THETA_NAMES, names)
    low, high = np.where(free, -0.1, 0.0), np.where(free, 0.1, 0.0)
    box = BoxSpec(**{name: (float(a), float(b)) for name, a, b in zip(THETA_NAMES, low, high, strict=True)})
    task = dataclasses.replace(data.task, initial_state=InitialStateSpec(trained_in=box, deployed_in=box))
    deployed, dim = task.initial_state.deployed, len(names)
    model = SuccessModel(
        inputs=np.full((1, dim), 0.5),
        rates=np.array([0.5]),
        noise_variance=np.array([0.1]),
        prior_mean=0.5,
        amplitude=0.1,
        length_scales=np.full(dim, 0.5),
        box=deployed,
    )
    mixture = Mixture(
        weights=np.ones(1), means=np.full((1, dim), 0.5), covariances=np.eye(dim)[None] / 30, box=deployed
    )
    return dataclasses.replace(data, task=task, base_model=model, final_model=model, mixture=mixture)


def test_learning_curve() -> None:
    assert_drawn(learning_curve(demo_data(episodes=20, trials=0).learning))
    assert learning_curve([]) is None
    assert learning_curve([{"env_steps": 10, "success": float("nan")}]) is None
    assert learning_curve([{"env_steps": 10, "success": None}]) is None


def test_rounds_of_learning_are_put_one_after_the_other() -> None:
    rows = [{"env_steps": s, "success": v} for s, v in ((10, 0.1), (20, 0.2), (10, 0.3), (20, float("nan")))]
    assert learning_points(rows) == [[(10, 0.1), (20, 0.2)], [(30, 0.3)]]
    assert_drawn(learning_curve(rows))
