"""A short fuzzing of the loader in every test run, and proof that fuzzing finds what it looks for."""

from __future__ import annotations

from bundle.fuzz_cases import make_case
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


def test_every_fault_of_a_loader_is_found() -> None:
    report = campaign(150, seed=1, hang_s=3.0, action="bundle.fuzz_traps:fall_into_traps")
    found = " ".join(finding.kind for finding in report.escapes)
    for sign in (
        *("KeyError", "does not name the bundle", "cannot be printed", "an error of", "subprocess.Popen"),
        *("fuzz_traps.py", "compile", "exit code -11", "memory", "hangs"),
    ):
        assert sign in found, f"{sign} is not in\n{report.text()}"
    assert all(finding.detail for finding in report.escapes)
    assert report.count == 150
