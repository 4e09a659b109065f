"""One assembly whose node, policy node or client is killed on the way, and what became of it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from experiments.assembly_crashes.client import OVER, Client
from experiments.assembly_crashes.journal_view import Phase, done_twice, event_count, phases
from experiments.assembly_crashes.witness import Witness
from refinery.bringup.node_names import ASSEMBLY, POLICY
from refinery_evaluation.assembling.rig import AssemblyRig
from refinery_msgs.msg import PartState

NODES = {"assembly": ASSEMBLY, "policy": POLICY}
"""Nodes that are killed, by victim; the third victim, ``client``, is no node of the cell."""
_CLIENTS = 10
"""A run that does not end with so many clients after each other has come to nothing."""
_END_S = 180.0
"""So long after the last kill a run hangs, wall clock, [s]."""
_STATES = {PartState.IN_TRAY: "in its tray", PartState.HELD: "held", PartState.RELEASED: "let go"}


class Disturber:
    """Runs assemblies in a cell.

    Args:
        rig: The cell.
        witness: Of its servers.
        folder: Has the journal and gets the clients' output.
    """

    def __init__(self, rig: AssemblyRig, witness: Witness, folder: Path) -> None:
        self._rig, self._witness, self._folder = rig, witness, folder
        self._journal = folder / "journal.sqlite3"
        self._written: set[uuid.UUID] = set()
        self._run, self._seed = "", 0
        self._client: Client | None = None
        self._clients = 0
        self._said: list[str] = []

    def run(self, name: str, seed: int, victim: str, moments_s: Sequence[float]) -> dict[str, Any]:
        """Run one assembly.

        Args:
            name: Of the run.
            seed: Of cell and run.
            victim: Who is killed: a key of :data:`NODES`, or ``client``.
            moments_s: When, each counted from when the run went on, wall clock, [s]; fewer if it is over before.

        Returns:
            Its record as JSON.
        """
        self._rig.reset(seed)
        self._run, self._seed, self._said = name, seed, []
        began_s = time.monotonic()
        kills: list[dict[str, Any]] = []
        over = False
        for moment_s in moments_s:
            went_on = partial(self._has_more_than, self._events())
            over = self._attend(_END_S, went_on) or self._attend(moment_s)
            if over:
                break
            kills.append({"moment_s": round(moment_s, 2), **self._kill(victim)})
        over = over or self._attend(_END_S)
        if self._client is not None:
            self._client.kill()
            self._client = None
        found = phases(self._journal, name)
        for kill in kills:
            _add_what_followed(kill, found)
        self._written |= {goal for phase in found for goal in phase.goals}
        heard = set().union(*self._witness.seen.values())
        return {
            "run": name,
            "seed": seed,
            "victim": victim,
            "complete": over,
            "kills": kills,
            "clients_said": self._said,
            "parts": {part: _part(state) for part, state in self._rig.truth().items()},
            "insertions": sum(phase.phase == "insert" for phase in found),
            "physics_disturbed": any(kill["phase"] == "insert" and victim != "client" for kill in kills),
            "done_twice": done_twice(found, self._witness.succeeded),
            "goals_not_written_down": len(heard - self._written),
            "wall_s": round(time.monotonic() - began_s, 1),
        }

    def _events(self) -> int:
        return event_count(self._journal)

    def _has_more_than(self, events: int) -> bool:
        return self._events() > events

    def _attend(self, longest_s: float, until: Callable[[], bool] = lambda: False) -> bool:
        """Keep a client going, one after the other as an operator would; returns whether the run is over."""
        end_s, clients = time.monotonic() + longest_s, 0
        while time.monotonic() < end_s and clients <= _CLIENTS and not until():
            if self._client is None:
                clients += 1
                self._clients += 1
                self._client = Client(self._run, self._seed, self._folder / f"client_{self._clients}.log")
            code = self._client.ended()
            if code is not None:
                self._said.append(self._client.said())
                self._client = None
                if code == OVER:
                    return True
            self._rig.spin()
        return False

    def _kill(self, victim: str) -> dict[str, Any]:
        """Kill, and start again what was killed; returns in what phase the run was."""
        if victim == "client":
            if self._client is not None:
                self._client.kill()
                self._client = None
            return self._where()
        self._rig.kill(NODES[victim], noticed=False)
        where = self._where()
        self._rig.start(NODES[victim])
        return where

    def _where(self) -> dict[str, Any]:
        found = phases(self._journal, self._run)
        if not found:
            return {"step": 0, "attempt": 0, "phase": "before the first"}
        last = found[-1]
        return {"step": last.step, "attempt": last.attempt, "phase": f"after {last.phase}" if last.end else last.phase}


def _add_what_followed(kill: dict[str, Any], found: Sequence[Phase]) -> None:
    """Add to a kill how the phase that it interrupted ended."""
    at = (kill["step"], kill["attempt"], kill["phase"])
    ended = [phase for phase in found if (phase.step, phase.attempt, phase.phase) == at]
    kill["then"] = f"{ended[0].end}: {ended[0].message}" if ended else "went on"


def _part(state: PartState) -> dict[str, Any]:
    position = state.pose.pose.position
    return {
        "state": _STATES[state.state],
        "seated": state.seated,
        "depth_mm": round(1e3 * state.depth_m, 3),
        "aside_mm": round(1e3 * state.lateral_error_m, 3),
        "at_mm": [round(1e3 * value, 2) for value in (position.x, position.y, position.z)],
    }
