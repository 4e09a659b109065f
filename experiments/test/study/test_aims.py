import pytest

from experiments.study.aims import aims
from experiments.test.study.synthetic import spec_of

SPEC = spec_of(("a", "b"), versus=("a",))
ENTRY = {"verdict": "no difference shown", "steps_ratio": None, "steps_ratio_interval": [None, None]}


def table(mean, entry=ENTRY):
    return aims({"command": "make study", "mean": mean, "guided_over_uniform": {"a": entry} if entry else {}}, SPEC)


def test_says_of_each_aim_whether_it_was_reached():
    text = table({"base": 80.0, "refined": 91.0, "refined_mixture": 95.0, "refined_best_rule": 96.4})
    rows = text.splitlines()[2:7]
    assert [row.split(" | ")[2] for row in rows] == ["11.0", "91.0", "95.0", "96.4", "none"]
    said = [row.strip(" |").split(" | ")[-1] for row in rows]
    assert said == ["reached", "**missed**", "**missed**", "reached", "**missed**"]


@pytest.mark.parametrize(
    ("change", "won"),
    [
        ({"verdict": "better"}, True),
        ({"verdict": "worse"}, False),
        ({"steps_ratio": 0.6, "steps_ratio_interval": [0.4, 0.9]}, True),
        ({"steps_ratio": 0.6, "steps_ratio_interval": [0.4, 1.2]}, False),
        ({"steps_ratio": 0.6, "steps_ratio_interval": [0.4, None]}, False),
        ({"steps_ratio": 0.8, "steps_ratio_interval": [0.7, 0.9]}, False),
    ],
)
def test_guidance_counts_only_with_an_interval_that_says_so(change, won):
    assert ("`a`" in table({}, ENTRY | change)) is won


def test_nothing_is_said_while_nothing_can_be_compared():
    assert table({}, None) == ""
