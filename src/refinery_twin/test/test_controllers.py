import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery_twin.controllers import Controllers

NAMES = ("jtc", "cic")
ANY = st.lists(st.sampled_from([*NAMES, "other"]), max_size=3)
HANDED_BACK = {"jtc": "active", "cic": "inactive"}
BOTH_OFF = {"jtc": "inactive", "cic": "inactive"}


def fresh():
    return Controllers(*NAMES, ["joint1/effort", "joint2/effort"])


def test_the_arm_goes_over_and_back():
    controllers = fresh()
    assert controllers.states() == HANDED_BACK
    assert controllers.switch(["cic"], ["jtc"], strict=True) is None and controllers.active == "cic"
    assert controllers.switch(["jtc"], ["cic"], strict=True) is None and controllers.active == "jtc"


def test_the_arm_can_be_left_to_nobody_and_taken_again():
    controllers = fresh()
    assert controllers.switch([], ["jtc"], strict=True) is None
    assert controllers.states() == BOTH_OFF and controllers.active is None
    assert controllers.switch(["cic"], [], strict=True) is None and controllers.active == "cic"


@pytest.mark.parametrize(
    ("activate", "deactivate", "words"),
    [
        (["cic"], [], "both claim joint1/effort"),
        (["jtc"], [], "jtc is active already"),
        ([], ["cic"], "cic is not active"),
        (["other"], ["jtc"], "no controller 'other'"),
        ([], ["jtc", "other"], "no controller 'other'"),
        (["cic", "jtc"], ["jtc"], "both claim"),
        (["cic"], ["cic", "jtc"], "cic is not active"),
    ],
)
def test_strict_changes_nothing_and_says_why(activate, deactivate, words):
    controllers = fresh()
    assert words in controllers.switch(activate, deactivate, strict=True)
    assert controllers.states() == HANDED_BACK


@pytest.mark.parametrize(
    ("activate", "deactivate", "after"),
    [
        (["cic", "other"], ["jtc"], {"jtc": "inactive", "cic": "active"}),
        (["jtc"], ["cic"], HANDED_BACK),
        ([], ["jtc", "cic"], BOTH_OFF),
    ],
)
def test_best_effort_does_what_can_be_done(activate, deactivate, after):
    controllers = fresh()
    assert controllers.switch(activate, deactivate, strict=False) is None
    assert controllers.states() == after


@pytest.mark.parametrize(
    ("activate", "deactivate", "words"),
    [
        (["other"], ["jtc"], "no controller 'other'"),
        (["cic"], ["other"], "no controller 'other'"),
        (["cic"], [], "both claim"),
    ],
)
def test_best_effort_has_its_limits(activate, deactivate, words):
    controllers = fresh()
    assert words in controllers.switch(activate, deactivate, strict=False)
    assert controllers.states() == HANDED_BACK


@pytest.mark.parametrize("strict", [True, False])
def test_nothing_to_do_and_a_restart_are_fine(strict):
    controllers = fresh()
    assert controllers.switch([], [], strict=strict) is None
    assert controllers.switch(["jtc"], ["jtc"], strict=strict) is None
    assert controllers.states() == HANDED_BACK


@pytest.mark.parametrize("strict", [True, False])
def test_after_an_error_nothing_can_be_activated_until_the_recovery(strict):
    controllers = fresh()
    assert controllers.switch(["cic"], ["jtc"], strict=True) is None
    controllers.fail()
    assert controllers.states() == BOTH_OFF
    assert "joint1/effort is not available" in controllers.switch(["jtc"], [], strict=strict)
    assert controllers.states() == BOTH_OFF
    controllers.recover()
    assert controllers.states() == HANDED_BACK
    assert controllers.switch(["cic"], ["jtc"], strict=strict) is None


def test_an_injected_refusal_changes_nothing():
    controllers = fresh()
    controllers.refuse = True
    assert "injected" in controllers.switch(["cic"], ["jtc"], strict=True) and controllers.active == "jtc"


@given(st.lists(st.tuples(ANY, ANY, st.booleans()), max_size=8))
def test_never_are_both_active(calls):
    controllers = fresh()
    for activate, deactivate, strict in calls:
        before = controllers.states()
        problem = controllers.switch(activate, deactivate, strict=strict)
        assert list(controllers.states().values()).count("active") <= 1
        assert not problem or controllers.states() == before
