"""Trials on the twin from uniform and from sampled initial states, on the same cells, scored by the twin's truth."""

from __future__ import annotations

import math
from collections.abc import Callable

from refinery.errors import NotReadyError
from refinery.initial_state import GRASP
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.client import OUTCOMES, REASONS, TrialClient
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome

MODES = {"uniform": "uniform", "sampled": "best"}
"""How each kind of start is asked for at /place."""
_AS_INTENDED = (0.0, 0.0, 0.0)
_TRIES = 5
FIRST_SEED = 910_000
"""Cells of the demo's trials; no other stream of seeds uses these numbers."""


def run_trials(client: TrialClient, count: int, seed: int, report: Callable[[float, str], None]) -> list[TrialRecord]:
    """Run ``count`` trials of each kind; trial i of both kinds sees the same cell and noise.

    Args:
        client: Ready client.
        count: Trials of each kind.
        seed: Seed of the run.
        report: Called with the share done and a note.

    Returns:
        The records, in the order they were run.
    """
    records: list[TrialRecord] = []
    for index in range(count):
        for starts, mode in MODES.items():
            records.append(one_trial(client, index, starts, mode, FIRST_SEED + 1000 * seed + index))
            wins = {kind: sum(r.strict for r in records if r.starts == kind) for kind in MODES}
            done = {kind: sum(r.starts == kind for r in records) for kind in MODES}
            note = ", ".join(f"{kind} {wins[kind]}/{done[kind]}" for kind in MODES)
            report(len(records) / (2 * count), note)
    return records


def place_held(
    client: TrialClient, mode: str, seed: int, before: Callable[[], None] = lambda: None
) -> tuple[Place.Result, tuple[float, ...]]:
    """Set the cell up, the part held as the start needs it, and go there; returns the placement and the grasp.

    Which start a seed means is known only once the cell stands, and the twin takes the part up when it sets the cell
    up. So the cell is set up, the sampler is asked, and where the start needs another than the intended grasp, the same
    cell is set up again with it. The grasp of the placement decides: averaging more estimates may make another start
    the best reachable one.

    Args:
        client: Ready client.
        mode: How the start is sampled.
        seed: Seed of the cell and the sample.
        before: Called when the cell stands, right before each placement that is tried.

    Raises:
        NotReadyError: Every placement wants another grasp than the one before.
    """
    answer = client.sample(mode, seed, client.new_cell(seed))
    held = _AS_INTENDED
    wanted = tuple(answer.theta[GRASP]) if answer.success else held
    for _ in range(_TRIES):
        if wanted != held:
            client.new_cell(seed, wanted)
            held = wanted
        before()
        placed = client.place(mode, seed)
        wanted = tuple(placed.theta[GRASP]) or held
        if wanted == held:
            return placed, held
    raise NotReadyError(f"/place: each of {_TRIES} placements with seed {seed} wants another grasp")


def one_trial(client: TrialClient, index: int, starts: str, mode: str, seed: int) -> TrialRecord:
    """Set up, place, insert and score one trial; a refused or failed placement is a failed trial with its reason."""
    placed, grasp = place_held(client, mode, seed)
    arrived = placed.outcome.value == Outcome.SUCCESS
    outcome, reason, duration = OUTCOMES[placed.outcome.value], f"placement: {placed.outcome.message}", 0.0
    guard = "none"
    if arrived:
        inserted = client.insert(index, grasp)
        outcome, duration = OUTCOMES[inserted.outcome.value], inserted.duration_s
        guard = REASONS.get(inserted.reason.value, "none")
        reason = inserted.outcome.message if guard == "none" else f"{guard}: {inserted.reason.message}"
    truth = client.truth()
    return TrialRecord(
        index=index,
        starts=starts,
        seed=seed,
        theta=tuple(placed.theta),
        predicted=None if math.isnan(placed.success_probability) else placed.success_probability,
        placed=arrived,
        place_error_mm=1e3 * placed.position_error_m,
        place_error_deg=math.degrees(placed.rotation_error_rad),
        outcome=outcome,
        reason=reason,
        strict=bool(arrived and truth.strict_success),
        engaged=bool(arrived and truth.engaged),
        depth_mm=1e3 * truth.depth_m,
        lateral_mm=1e3 * truth.lateral_error_m,
        angle_deg=math.degrees(truth.angle_error_rad),
        max_force_n=truth.max_force_n,
        duration_s=duration,
        guard=guard,
    )
