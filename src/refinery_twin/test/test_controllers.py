import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery_twin.controllers import Controllers

NAMES = ("jtc", "cic")
ANY = st.lists(st.sampled_from([*NAMES, "other"]), max_size=3)


def fresh():
    return Controllers(*NAMES)


def test_the_arm_goes_over_and_back():
    controllers = fresh()
    assert controllers.states() == {"jtc": "active", "cic": "inactive"}
    assert controllers.switch(["cic"], ["jtc"], strict=True) == "" and controllers.impedance_active
    assert controllers.switch(["jtc"], ["cic"], strict=True) == "" and not controllers.impedance_active


@pytest.mark.parametrize(
    ("activate", "deactivate", "words"),
    [
        (["cic"], [], "both claim"),
        (["jtc"], [], "jtc is active already"),
        ([], ["cic"], "cic is not active"),
        (["other"], ["jtc"], "no controller 'other'"),
    ],
)
def test_strict_changes_nothing_and_says_why(activate, deactivate, words):
    controllers = fresh()
    assert words in controllers.switch(activate, deactivate, strict=True)
    assert controllers.states() == {"jtc": "active", "cic": "inactive"}


def test_best_effort_does_what_can_be_done():
    controllers = fresh()
    assert controllers.switch(["other"], ["jtc", "cic"], strict=False) == ""
    assert controllers.states() == {"jtc": "inactive", "cic": "inactive"}


def test_an_injected_refusal_changes_nothing():
    controllers = fresh()
    controllers.refuse = True
    assert "injected" in controllers.switch(["cic"], ["jtc"], strict=True) and not controllers.impedance_active


@given(st.lists(st.tuples(ANY, ANY, st.booleans()), max_size=8))
def test_never_are_both_active(calls):
    controllers = fresh()
    for activate, deactivate, strict in calls:
        before = controllers.states()
        problem = controllers.switch(activate, deactivate, strict=strict)
        assert list(controllers.states().values()).count("active") <= 1
        assert not problem or controllers.states() == before
