"""Settings of a study (``config/study/*.yaml``) and the refinement runs that follow from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from refinery.config import check, to_mapping
from refinery.task import Task
from refinery_sim_train.arrays import digest, load_arrays
from refinery_sim_train.learn.record import TRAINED_WITH
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.settings import read_preset

DEFAULT = "refined"
"""Name of the arm that runs the preset as it is."""
TRAINING = 3
"""Counted up when the training code makes another policy of the same settings."""


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Another source of training starts at equal environment steps."""

    source: str
    """Source of starts, of :data:`refinery_sim_train.refine.sources.SOURCES`."""
    tasks: tuple[str, ...]
    """Tasks on which it is compared with the default."""
    seeds: int
    """Training seeds of this arm and of the default there."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.seeds >= 1, "seeds", "at least 1", self.seeds)


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """Settings of a study."""

    preset: str
    """Name in config/refine or path: settings of every run."""
    tasks: tuple[str, ...]
    """Names in config/tasks, or paths."""
    seeds: int
    """Training seeds of every task."""
    kept_out: tuple[str, ...] = ()
    """Tasks on which nothing was chosen: no setting, no threshold."""
    arms: dict[str, Arm] = field(default_factory=dict)
    """Controls by name."""

    def __post_init__(self) -> None:
        """Validate that the parts fit together."""
        check(len(self.tasks) >= 1, "tasks", "at least one task", self.tasks)
        check(self.seeds >= 1, "seeds", "at least 1", self.seeds)
        named = {"kept_out": self.kept_out} | {f"arms.{name}.tasks": arm.tasks for name, arm in self.arms.items()}
        for key, tasks in named.items():
            unknown = sorted(set(tasks) - set(self.tasks))
            check(not unknown, key, f"tasks among {', '.join(self.tasks)}", unknown)
        check(DEFAULT not in self.arms, "arms", f"names other than {DEFAULT}", sorted(self.arms))

    def settings(self, arm: str) -> RefineSpec:
        """Settings of an arm's runs."""
        preset = read_preset(self.preset)
        return preset if arm == DEFAULT else replace(preset, source=self.arms[arm].source)


@dataclass(frozen=True, kw_only=True, order=True)
class Unit:
    """One refinement run and its file."""

    seed: int
    """Training seed."""
    task: str
    """Name or path of the task."""
    arm: str = DEFAULT
    """Name of the arm."""

    @property
    def name(self) -> str:
        """Stem of its result and name of its run folder."""
        return f"{Path(self.task).stem}_{self.arm}_s{self.seed}"


def units(spec: StudySpec) -> list[Unit]:
    """All runs, the controls last, in an order that completes every task's first seed before any second one."""
    found = {Unit(task=task, seed=seed): None for seed in range(spec.seeds) for task in spec.tasks}
    for name, arm in spec.arms.items():
        for seed in range(arm.seeds):
            for task in arm.tasks:
                found |= {Unit(task=task, seed=seed): None, Unit(task=task, seed=seed, arm=name): None}
    return sorted(found, key=lambda unit: (unit.arm != DEFAULT, unit.seed))


def identity(settings: RefineSpec, task: Task, base: Path) -> str:
    """Hash of what a run's figures depend on; a stored unit with another one is run again.

    Of the file ``base`` the weights count, not the record of what they were trained with: that changes no episode.
    """
    weights = {name: array for name, array in load_arrays(base).items() if name != TRAINED_WITH}
    parts = [TRAINING, to_mapping(settings), task.hash(), digest(weights)]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
