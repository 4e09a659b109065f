"""docs/faults.md says what the tests check: kinds, streams, reasons and reactions, in the order of the cases."""

from __future__ import annotations

import json

from experiments.faults.expectations import CASES, WHAT
from experiments.faults.table import HEAD, PAGE, RESULTS, page, row, rows

_STEPS = HEAD.index("policy steps to react")


def without_steps(line: tuple[str, ...]) -> tuple[str, ...]:
    return line[:_STEPS] + line[_STEPS + 1 :]


def test_the_page_has_a_row_for_every_case_and_no_other() -> None:
    wanted = [without_steps(row(case)) for early in (False, True) for case in CASES if case.early is early]
    got = [without_steps(line) for line in rows(PAGE.read_text(encoding="utf-8"))]
    assert got == wanted, "docs/faults.md is old; write it again with `tools/env python -m experiments.faults.table`"


def test_the_page_is_the_results() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(json.loads(RESULTS.read_text(encoding="utf-8")))


def test_every_kind_is_explained() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for kind in {case.kind for case in CASES}:
        assert f"- `{kind}`: {WHAT[kind]}." in text
