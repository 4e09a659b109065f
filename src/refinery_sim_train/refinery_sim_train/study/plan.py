"""What the study runs: its settings (``config/study/*.yaml``) and the units of work they mean."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from refinery.config import check, to_mapping
from refinery.task import Task
from refinery_sim_train.learn.ppo import PpoSpec
from refinery_sim_train.refine.acquire import ACQUISITIONS, AcquisitionSpec
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec
from refinery_sim_train.refine.start_rules import StartSpec
from refinery_sim_train.refine.success_fit import SuccessFitSpec

ARMS = ("uniform", "resampled", "guided")
"""Ways of fine-tuning that are compared; ``guided`` is what ``refine`` does."""


@dataclass(frozen=True, kw_only=True)
class StudySpec:
    """Settings of a study."""

    tasks: tuple[str, ...]
    """Names in config/tasks."""
    seeds: int
    """Training seeds of every arm."""
    versus_tasks: tuple[str, ...]
    """Tasks on which guided and uniform fine-tuning are compared with more seeds: those with a rare bad region."""
    versus_seeds: int
    """Training seeds there."""
    ablation_tasks: tuple[str, ...]
    """Tasks on which all acquisition functions are run."""
    rounds: int
    """Rounds of fine-tuning."""
    iterations_per_round: int
    """PPO iterations of a round."""
    curve_rounds: tuple[int, ...]
    """Rounds after which the learning curve is measured, besides the last."""
    environments: int
    """Environments stepped at once."""
    test_episodes: int
    """Episodes per figure, per training seed."""
    curve_episodes: int
    """Of the test episodes, the first so many make a point of a learning curve."""
    structure_episodes: int
    """Episodes of the base policy that structure is measured on."""
    permutations: int
    """Shuffles for the null of structure."""
    start_episodes: int
    """Episodes of a refined policy that its start rules are fitted on."""
    choice_episodes: int
    """Episodes that decide between the rules a bundle can ship."""
    window: int = 1024
    """Newest episodes that a source of starts learns from."""
    resampled_uniform_share: float = 0.3
    """Uniform share of the resampling control; the guided arm's is in ``acquisition``."""
    ppo: PpoSpec = field(default_factory=lambda: PpoSpec(critic_warmup=2))
    """Hyper-parameters of PPO, of all arms."""
    acquisition: AcquisitionSpec = field(default_factory=AcquisitionSpec)
    """Of the guided arm."""
    success_fit: SuccessFitSpec = field(default_factory=SuccessFitSpec)
    """The success model."""
    mixture: MixtureFitSpec = field(default_factory=MixtureFitSpec)
    """The mixtures."""
    starts: StartSpec = field(default_factory=StartSpec)
    """The start rules."""

    def __post_init__(self) -> None:
        """Validate that the parts fit together."""
        check(len(self.tasks) >= 1, "tasks", "at least one task", self.tasks)
        for name in ("versus_tasks", "ablation_tasks"):
            unknown = sorted(set(getattr(self, name)) - set(self.tasks))
            check(not unknown, name, f"tasks among {', '.join(self.tasks)}", unknown)
        inside = all(1 <= r < self.rounds for r in self.curve_rounds)
        check(inside, "curve_rounds", f"rounds from 1 to {self.rounds - 1}", self.curve_rounds)

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round."""
        return self.iterations_per_round * self.environments * self.ppo.steps_per_iteration


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A piece of work that leaves one file."""

    task: str
    """Name of the task."""
    kind: str
    """base, tune or starts."""
    arm: str = ""
    """Of tune: one of :data:`ARMS`, or ``ablation_<function>``."""
    seed: int = 0
    """Training seed."""

    @property
    def name(self) -> str:
        """Stem of its file."""
        return "_".join(part for part in (self.kind, self.arm, "" if self.kind == "base" else f"s{self.seed}") if part)


def units(spec: StudySpec) -> list[Unit]:
    """All units, in an order that completes every task's first seed before any second one."""
    found = [Unit(task=task, kind="base") for task in spec.tasks]
    for seed in range(max(spec.seeds, spec.versus_seeds)):
        for task in spec.tasks:
            for arm in ARMS:
                more = task in spec.versus_tasks and arm != "resampled" and seed < spec.versus_seeds
                if seed < spec.seeds or more:
                    found.append(Unit(task=task, kind="tune", arm=arm, seed=seed))
            if seed < spec.seeds:
                found.append(Unit(task=task, kind="starts", seed=seed))
    for seed in range(spec.seeds):
        for task in spec.ablation_tasks:
            others = [name for name in ACQUISITIONS if name != spec.acquisition.function]
            found += [Unit(task=task, kind="tune", arm=f"ablation_{name}", seed=seed) for name in others]
    return found


def identity(spec: StudySpec, task: Task, base: Path) -> str:
    """Hash of everything a unit's result depends on; a stored unit with another one is run again."""
    settings = to_mapping(spec)
    # More tasks or seeds do not change the units that are there.
    for name in ("tasks", "seeds", "versus_tasks", "versus_seeds", "ablation_tasks"):
        del settings[name]
    text = json.dumps([settings, task.hash(), hashlib.sha256(base.read_bytes()).hexdigest()], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
