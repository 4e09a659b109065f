from __future__ import annotations

import math

import numpy as np
import pytest
from report.synthetic import demo_data, trial

from refinery.statistics import Rate
from refinery_evaluation.report import DemoData, TrialRecord
from refinery_evaluation.report.narrative import headline, refining_detail, structure, what_trials_show
from refinery_evaluation.report.power import trials_to_tell


def with_counts(uniform: tuple[int, int], sampled: tuple[int, int]) -> DemoData:
    rng = np.random.default_rng(0)
    trials: list[TrialRecord] = []
    for starts, (k, n) in (("uniform", uniform), ("sampled", sampled)):
        trials += [trial(len(trials) + i, starts, np.zeros(9), i < k, rng) for i in range(n)]
    return demo_data(episodes=400, records=tuple(trials))


def text(sentences: list[str] | str) -> str:
    joined = sentences if isinstance(sentences, str) else " ".join(sentences)
    return joined.replace("\u00a0", " ")


def test_every_interval_is_that_of_statistics() -> None:
    data = with_counts((17, 20), (19, 20))
    shown = text(headline(data))
    for rate in (data.base, data.refined):
        low, high = rate.interval
        assert f"{100 * rate.value:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)" in shown
    low, high = Rate(k=19, n=20).interval
    assert f"19/20 trials from sampled starts succeeded (95 %, {100 * low:.0f} to {100 * high:.0f} %)" in shown
    shown = text(what_trials_show(data))
    assert (
        "19/20 from sampled starts is 95 %, and the true rate lies between 76 and 99 % with 95 % confidence." in shown
    )
    assert f"To tell 95 % from 98 % takes about {trials_to_tell(0.95, 0.98)} trials of each kind." in shown
    assert f"about {trials_to_tell(0.85, 0.95)} trials of each kind" in shown
    assert "do not show that one kind of start is better" in shown
    assert "not even 85 % and 100 % can be told apart" in shown


def test_a_clear_difference_is_called_one() -> None:
    assert "sampled starts are better" in text(what_trials_show(with_counts((2, 20), (20, 20))))
    assert "sampled starts are worse" in text(what_trials_show(with_counts((20, 20), (2, 20))))


def test_trials_that_contradict_the_simulation_are_called_so() -> None:
    shown = text(what_trials_show(with_counts((0, 20), (0, 20))))
    assert "do not agree with the simulation" in shown
    assert "the whole chain runs" not in shown
    assert "agree with the simulation as far as 20 trials" in text(what_trials_show(with_counts((18, 20), (18, 20))))


@pytest.mark.parametrize("uniform", [(0, 0), (0, 1), (1, 1), (0, 20), (20, 20)])
@pytest.mark.parametrize("sampled", [(0, 0), (0, 1), (1, 1), (0, 20), (20, 20)])
def test_sentences_exist_for_every_corner(uniform: tuple[int, int], sampled: tuple[int, int]) -> None:
    data = with_counts(uniform, sampled)
    shown = text(headline(data)) + text(what_trials_show(data))
    assert "nan" not in shown
    if uniform[1] == sampled[1] == 0:
        assert "No trials" in shown


def test_the_verb_follows_the_data() -> None:
    good, bad = np.arange(400) % 10 > 0, np.arange(400) % 10 > 4
    assert "raised" in headline(demo_data(episodes=400, trials=0, base_strict=bad, refined_strict=good, p_value=1e-9))
    assert "lowered" in headline(demo_data(episodes=400, trials=0, base_strict=good, refined_strict=bad, p_value=1e-9))
    same = demo_data(episodes=400, trials=0, base_strict=good, refined_strict=good, p_value=1.0)
    assert "did not measurably change" in headline(same)
    unknown = demo_data(episodes=400, trials=0, base_strict=bad, refined_strict=good, p_value=math.nan)
    assert "raised" in headline(unknown)


def test_paired_and_unpaired_comparisons_are_told_apart() -> None:
    data = demo_data(episodes=400, trials=0)
    assert "same 400 starts" in refining_detail(data)
    assert "same" not in refining_detail(demo_data(episodes=400, trials=0, refined_theta=data.base_theta * 0.5))


def test_a_base_policy_that_was_kept_is_called_so() -> None:
    data = demo_data(episodes=400, trials=0)
    kept = demo_data(episodes=400, trials=0, refined_strict=data.base_strict, p_value=1.0)
    assert "the base policy was kept" in refining_detail(kept)


def test_structure_in_plain_words() -> None:
    assert "+0.112 bits" in structure(demo_data(episodes=20, trials=0))[0]
    assert "cannot be expected" in text(structure(demo_data(episodes=20, trials=0, structure_bits=-0.01)))
    assert "not measured" in text(structure(demo_data(episodes=20, trials=0, structure_bits=math.nan)))
