from __future__ import annotations

import numpy as np
import pytest
from report.synthetic import demo_data, trial

from refinery_evaluation.report import DemoData, one_screen


def wordy(count: int) -> DemoData:
    rng = np.random.default_rng(0)
    reason = "the guard stopped the arm:\n" + "a very long sentence " * 20
    return demo_data(
        episodes=64, records=tuple(trial(i, "uniform", np.zeros(9), False, rng, reason=reason) for i in range(count))
    )


@pytest.mark.parametrize(
    "data",
    [demo_data(), demo_data(trials=0), demo_data(episodes=1, trials=1), wordy(1), wordy(4), wordy(40)],
    ids=["usual", "no trials", "tiny", "1 failure", "4 failures", "40 failures"],
)
def test_it_fits_one_screen(data: DemoData) -> None:
    lines = one_screen(data).splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert one_screen(data).isascii()


def test_it_says_what_matters() -> None:
    data = demo_data()
    shown = one_screen(data)
    for rate in (data.base, data.refined, data.rate_from("uniform"), data.rate_from("sampled")):
        assert rate is not None
        assert f"{rate.k}/{rate.n}" in shown
    assert "nothing has run on hardware" in shown
    assert one_screen(demo_data(trials=0)).count("  no trials") == 2


def test_failures_are_listed_and_counted() -> None:
    shown = one_screen(wordy(40))
    assert "Failed trials (40 of 40)" in shown
    assert "and 37 more" in shown
