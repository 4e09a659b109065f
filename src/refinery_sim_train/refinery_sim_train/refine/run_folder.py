"""A run's folder: every finished stage leaves a file, so that a killed run goes on to the same result."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from refinery.errors import RefineryError
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.evaluate import Outcomes


class RunFolder:
    """Files of one run.

    Args:
        path: The folder; created.
        identity: What the run is (task hash, settings, seed); a folder of another run is refused.
        resume: Go on with what is there; otherwise an unfinished or finished run there is an error.

    Raises:
        RefineryError: The folder belongs to another run, or holds one and ``resume`` is off.
    """

    def __init__(self, path: Path, identity: dict[str, Any], *, resume: bool) -> None:
        self.path = path
        file = path / "config.json"
        text = json.dumps(identity, indent=2, sort_keys=True)
        if file.exists():
            if not resume:
                raise RefineryError(
                    f"{path}: a run is there already; use --resume to go on with it or --out for another folder"
                )
            if file.read_text(encoding="utf-8") != text:
                raise RefineryError(
                    f"{file}: the run there has another task, settings or seed; use --out for another folder"
                )
        path.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def outcomes(self, name: str, make: Callable[[], Outcomes]) -> Outcomes:
        """Return the stored outcomes of a stage, or make and store them."""
        file = self.path / f"{name}.npz"
        if file.exists():
            return Outcomes(**load_arrays(file))
        result = make()
        save_arrays(file, vars(result))
        return result

    def agent(self, name: str, make: Callable[[], Agent]) -> Agent:
        """Return the stored agent of a stage, or make and store it."""
        file = self.path / f"{name}.npz"
        if file.exists():
            return Agent.load(file)
        agent = make()
        agent.save(file)
        return agent
