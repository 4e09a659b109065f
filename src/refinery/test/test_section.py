import pytest

from refinery.config import from_mapping, to_mapping
from refinery.errors import ConfigError
from refinery.section import FAMILIES, SectionSpec

SIZES = {
    "round": (0.008,),
    "rectangle": (0.012, 0.008),
    "square": (0.01,),
    "hexagon": (0.01,),
    "d": (0.01, 0.003),
    "l": (0.014, 0.01, 0.005, 0.004),
    "t": (0.014, 0.012, 0.005, 0.005),
    "cross": (0.014, 0.014, 0.005),
    "keyed_round": (0.01, 0.003, 0.002),
    "two_prongs": (0.002, 0.006, 0.01),
    "three_prongs": (0.002, 0.006, 0.01, 0.01),
}
TRIANGLE = ((0.0, 0.0), (0.01, 0.0), (0.0, 0.01))


def test_every_family_is_covered_here():
    assert set(SIZES) | {"polygon"} == set(FAMILIES)


def test_yaml_and_back():
    for family, size in SIZES.items():
        spec = SectionSpec(family=family, size_m=size)
        assert from_mapping(to_mapping(spec), SectionSpec, source="x") == spec
    spec = SectionSpec(family="polygon", rings_m=(TRIANGLE,))
    assert from_mapping(to_mapping(spec), SectionSpec, source="x") == spec


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ({"family": "oval", "size_m": [0.01]}, "family: expected one of round, rectangle"),
        ({"family": "rectangle", "size_m": [0.01]}, "size_m: expected 2 positive lengths (x, y)"),
        ({"family": "square", "size_m": [-0.01]}, "size_m: expected 1 positive lengths (edge)"),
        ({"family": "d", "size_m": [0.01, 0.006]}, "distance of the flat from the axis"),
        ({"family": "l", "size_m": [0.01, 0.01, 0.01, 0.004]}, "thinner than the outer size"),
        ({"family": "t", "size_m": [0.01, 0.01, 0.004, 0.02]}, "thinner than the outer size"),
        ({"family": "cross", "size_m": [0.01, 0.01, 0.01]}, "thinner than the outer size"),
        ({"family": "keyed_round", "size_m": [0.01, 0.006, 0.002]}, "narrower than half the diameter"),
        ({"family": "two_prongs", "size_m": [0.01, 0.004, 0.008]}, "spacing"),
        ({"family": "three_prongs", "size_m": [0.002, 0.01, 0.008, 0.008]}, "spacings"),
        ({"family": "round", "size_m": [0.01], "rings_m": [TRIANGLE]}, "rings_m: expected nothing"),
        ({"family": "polygon"}, "rings_m: expected at least one outline"),
        ({"family": "polygon", "rings_m": [TRIANGLE[:2]]}, "at least 3 corners"),
        ({"family": "polygon", "rings_m": [TRIANGLE, [(1, 1), (1, 2), (2, 2)]]}, "within 0.1 m of the axis"),
    ],
)
def test_errors_name_field_expected_and_got(raw, words):
    with pytest.raises(ConfigError) as caught:
        from_mapping(raw, SectionSpec, source="task.yaml", prefix="plug.section")
    text = str(caught.value)
    assert text.startswith("task.yaml: plug.section.") and words in text and "got" in text


def test_a_corner_that_is_no_number_is_refused():
    with pytest.raises(ConfigError, match=r"rings_m: expected corners within 0\.1 m"):
        SectionSpec(family="polygon", rings_m=((*TRIANGLE[:2], (float("nan"), 0.0)),))
