"""Fixtures of the assembly node's tests: two parts, whose second sits relative to the first."""

from __future__ import annotations

import dataclasses

import pytest

from refinery.paths import config_file
from refinery.sequence.sequence import Sequence, load_sequence
from refinery.task import Task, load_task


@pytest.fixture(scope="session")
def sequence() -> Sequence:
    """The shipped chain of two."""
    return load_sequence("block_key")


@pytest.fixture(scope="session")
def tasks(sequence: Sequence) -> dict[str, Task]:
    """A task for each step; only how the parts are held counts here."""
    task = load_task(config_file("tasks", "peg_rect"))
    return {step.task: dataclasses.replace(task, name=step.task) for step in sequence.steps}
