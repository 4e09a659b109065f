"""A short fuzzing of the loader in every test run, and proof that fuzzing finds what it looks for."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest
from bundle.fuzz_cases import change_directory, make_case
from bundle.fuzz_corpus import corpus
from bundle.fuzzing import campaign

ENOUGH = 200
SHORT = {"count": 3000, "stop_after_s": 15.0}
"""Whichever is over first. A hundred thousand at leisure: see the module ``fuzzing``."""


def test_mutated_bundles_load_or_are_refused() -> None:
    report = campaign(seed=20_261_123, **SHORT)
    print(report.text())
    assert not report.escapes, report.text()
    assert report.count > ENOUGH
    assert report.kinds["loaded"] and len(report.kinds) > 20, report.text()


def test_a_case_is_the_same_every_time() -> None:
    first, again, other = ([make_case(seed, index, corpus()) for index in range(30)] for seed in (5, 5, 6))
    assert first == again
    assert all(one != two for one, two in zip(first, other, strict=True))


def test_any_two_bundles_can_be_mixed() -> None:
    # One of them may have files that the other lacks.
    rng, kinds = Random(0), set()
    for ours, theirs in product(corpus(), repeat=2):
        for _ in range(50):
            files = dict(ours)
            kinds.add(change_directory(files, dict(theirs), rng))
    assert len(kinds) == 6, kinds


def test_every_fault_of_a_loader_is_found() -> None:
    report = campaign(150, seed=1, action="bundle.fuzz_traps:fall_into_traps")
    found = " ".join(finding.kind for finding in report.escapes)
    for sign in (
        *("KeyError", "does not name the bundle", "cannot be printed", "an error of", "subprocess.Popen"),
        *("fuzz_traps.py", "compile", "memory"),
    ):
        assert sign in found, f"{sign} is not in\n{report.text()}"
    assert all(finding.detail for finding in report.escapes)
    assert report.count == 150


@pytest.mark.parametrize(("fault", "sign", "hang_s"), (("die", "exit code -11", 60.0), ("hang", "hangs", 1.0)))
def test_a_fault_that_ends_the_process_is_found_and_the_next_case_tried(fault: str, sign: str, hang_s: float) -> None:
    report = campaign(2, seed=1, hang_s=hang_s, action=f"bundle.fuzz_traps:{fault}")
    assert [finding.index for finding in report.escapes] == [0, 1], report.text()
    assert all(sign in finding.kind and finding.detail for finding in report.escapes), report.text()


def test_a_loader_that_fails_on_good_bundles_ends_the_campaign() -> None:
    with pytest.raises(RuntimeError, match="before its first case"):
        campaign(2, seed=1, action="bundle.fuzz_traps:die_always")
