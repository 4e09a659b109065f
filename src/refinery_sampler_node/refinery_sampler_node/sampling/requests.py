"""Checks a request before anything is drawn or moved; every refusal is a code and one sentence with what to do."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from refinery.task import Task
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampling.initial_state_chooser import MODES


@dataclass(frozen=True, kw_only=True)
class SampleRequest:
    """A request, to be checked by :func:`check_request`."""

    task: str
    """Name of the task; empty: the loaded one."""
    mode: str
    """One of :data:`refinery_sampler_node.sampling.initial_state_chooser.MODES`."""
    count: int
    """Number of initial states."""
    seed: int
    """Seed of the draw, at least 0."""


def check_request(request: SampleRequest, *, loaded_task: Task, max_count: int) -> None:
    """Check task, count and mode.

    Args:
        request: The request.
        loaded_task: The task of the loaded bundle.
        max_count: Largest count accepted.

    Raises:
        RequestError: The first thing that is wrong.
    """
    check_task(request.task, loaded_task)
    if not 1 <= request.count <= max_count:
        raise RequestError(
            "BAD_COUNT",
            f"count: expected 1 to {max_count}, got {request.count}; "
            "ask several times or raise the parameter max_count",
        )
    if request.mode not in MODES:
        close = difflib.get_close_matches(request.mode, MODES, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "leave it out for 'best'"
        raise RequestError("BAD_MODE", f"mode: expected one of {', '.join(MODES)}, got {request.mode!r}; {hint}")


def check_task(asked: str, loaded: Task) -> None:
    """Check that the loaded task is the requested one.

    Args:
        asked: Name or hash of the requested task; empty: the loaded one.
        loaded: The task of the loaded bundle.

    Raises:
        RequestError: Another task is loaded.
    """
    if not loaded.is_meant_by(asked):
        raise RequestError(
            "UNKNOWN_TASK",
            f"task: expected the loaded one, {loaded.name!r} ({loaded.hash()}), got {asked!r}; "
            "leave it empty or start the node with a bundle for that task",
        )
