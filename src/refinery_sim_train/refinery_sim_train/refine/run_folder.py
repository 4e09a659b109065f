"""A run's folder: every finished stage leaves a file, so that a killed run can be resumed to the same result.

A damaged evaluation is reported and run again, to the same outcomes since it has its own seeds; so is a damaged policy
while the training's state is still that of its round. Any other damaged file is an error that names it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from refinery.errors import DamagedFileError, RefineryError
from refinery.rotations import Array
from refinery.storage import read_json, write_whole
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.console import console
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.evaluate import Outcomes


class RunFolder:
    """Files of one run.

    Args:
        path: The folder; created.
        identity: Task hash, settings and seed of the run; a folder of another run is refused.
        resume: Go on with what is there; otherwise an unfinished or finished run there is an error.

    Raises:
        RefineryError: The folder belongs to another run or does not identify it, or holds one and ``resume`` is off,
            or cannot be written.
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
            _check_same(file, json.loads(text))
        elif stages := sorted(item.name for item in path.glob("*.npz")):
            raise RefineryError(
                f"{file}: expected it beside {stages[0]}, got nothing there: whose stages these are cannot be told; "
                "put it back, or use --out for another folder"
            )
        else:
            write_whole(file, text)

    def outcomes(self, name: str, make: Callable[[], Outcomes], theta: Array) -> Outcomes:
        """Return the stored outcomes of a stage, or make and store them.

        Args:
            name: Stem of the file.
            make: Runs the stage.
            theta: Initial states of its episodes, shape (n, 9).
        """
        file = self.path / f"{name}.npz"
        if file.exists():
            try:
                return _outcomes(file, theta)
            except DamagedFileError as error:
                console.print(f"  {error}: this stage is run again", markup=False)
        result = make()
        save_arrays(file, vars(result))
        return result

    def agent(self, name: str, make: Callable[[], Agent]) -> Agent:
        """Return the stored agent of a stage, or make and store it.

        Raises:
            RefineryError: It cannot be read, and ``make`` cannot make it again.
        """
        file = self.path / f"{name}.npz"
        if file.exists():
            try:
                return Agent.load(file)
            except RefineryError as error:
                console.print(f"  {error}", markup=False)
        agent = make()
        agent.save(file)
        return agent


def _check_same(file: Path, identity: dict[str, Any]) -> None:
    """Refuse the folder of another run, or one that does not identify its run."""
    try:
        found = read_json(file)
    except DamagedFileError as error:
        raise RefineryError(
            f"{error}: whose stages these are cannot be told; put a copy back, or use --out for another folder"
        ) from None
    other = sorted(name for name in found.keys() | identity.keys() if found.get(name) != identity.get(name))
    if other:
        raise RefineryError(
            f"{file}: the run there has another task, settings or seed (it differs in {', '.join(other)}); "
            "use --out for another folder"
        )


def _outcomes(file: Path, theta: Array) -> Outcomes:
    """Read outcomes; all there are, of the episodes asked for."""
    arrays = load_arrays(file)
    wanted = {item.name for item in fields(Outcomes)}
    if arrays.keys() != wanted:
        found = ", ".join(sorted(arrays)) or "none"
        raise DamagedFileError(f"{file}: expected {', '.join(sorted(wanted))}, got {found}")
    outcomes = Outcomes(**arrays)
    if not np.array_equal(outcomes.theta, theta):
        raise DamagedFileError(f"{file}: expected the {len(theta)} episodes of this run, got others")
    for name, value in arrays.items():
        kind = np.bool_ if name in ("strict", "engaged") else np.float64
        if value.dtype != kind or value.shape[:1] != theta.shape[:1] or not np.all(np.isfinite(value)):
            raise DamagedFileError(f"{file}: {name}: expected {len(theta)} values, got {value.dtype} {value.shape}")
    return outcomes
