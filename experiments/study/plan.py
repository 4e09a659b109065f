"""Settings of a study (``config/study/*.yaml``) and the units of work that follow from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refinery.config import check, to_mapping
from refinery.task import Task
from refinery_sim_train.arrays import digest, load_arrays
from refinery_sim_train.learn.ppo import PpoSpec
from refinery_sim_train.learn.record import TRAINED_WITH
from refinery_sim_train.refine.acquire import AcquisitionSpec
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec
from refinery_sim_train.refine.start_rules import StartSpec
from refinery_sim_train.refine.success_fit import SuccessFitSpec

ARMS = ("uniform", "resampled", "guided", "oracle")
"""Ways of fine-tuning that are compared: ``guided`` is what ``refine`` does; ``oracle``, on some tasks, draws starts
where a model of many more episodes predicts failure, an upper bound on what choosing starts could give."""
VARIANT = "variant_"
"""Prefix of arms that are guided with other settings."""
MEASURING = ("environments", "test_episodes", "curve_episodes", "structure_episodes", "permutations", "success_fit")
"""Settings that the figures of a base policy depend on."""
EXTENT = ("tasks", "arms", "seeds", "versus_tasks", "versus_seeds", "ablation_tasks")
"""Settings that determine which units there are."""
GUIDANCE = ("acquisition", "variants")
"""Settings that only guided units depend on."""
TRAINING = 2
"""Counted up when the training code makes another policy of the same settings. 2: too long a step is taken back."""


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
    """Tasks on which the variants of guidance are run."""
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
    """Episodes per point of a learning curve: the first of the test episodes."""
    structure_episodes: int
    """Episodes of the base policy that structure is measured on."""
    permutations: int
    """Shuffles for the null of structure."""
    start_episodes: int
    """Episodes of a refined policy that its start rules are fitted on."""
    start_test_episodes: int
    """Episodes per figure of a start rule, per training seed; not more than ``test_episodes``."""
    choice_episodes: int
    """Episodes that decide between the rules a bundle can ship."""
    arms: tuple[str, ...] = ARMS
    """Ways of fine-tuning to run, of :data:`ARMS`."""
    window: int = 1024
    """Newest episodes that a source of starts learns from."""
    control_uniform_share: float = 0.3
    """Uniform share of resampled and oracle; the guided arm's is in ``acquisition``."""
    oracle_below: float = 0.7
    """The oracle draws where the base's predicted success is under this, [0, 1]."""
    ppo: PpoSpec = field(default_factory=lambda: PpoSpec(critic_warmup=2))
    """Hyper-parameters of PPO, of all arms."""
    acquisition: AcquisitionSpec = field(default_factory=AcquisitionSpec)
    """Acquisition settings of the guided arm."""
    variants: dict[str, AcquisitionSpec] = field(default_factory=dict)
    """Other settings of guidance, by name."""
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
        strange = sorted(set(self.arms) - set(ARMS))
        check(not strange, "arms", f"arms among {', '.join(ARMS)}", strange)
        fits = self.start_test_episodes <= self.test_episodes
        check(fits, "start_test_episodes", f"at most {self.test_episodes}", self.start_test_episodes)
        new = self.acquisition.function not in self.variants
        check(new, "variants", f"names other than {self.acquisition.function}, the study's own", list(self.variants))
        inside = all(1 <= r < self.rounds for r in self.curve_rounds)
        check(inside, "curve_rounds", f"rounds from 1 to {self.rounds - 1}", self.curve_rounds)

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round."""
        return self.iterations_per_round * self.environments * self.ppo.num_steps_per_env


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A piece of work that leaves one file."""

    task: str
    """Name of the task."""
    kind: str
    """base, tune or starts."""
    arm: str = ""
    """Arm of a tune unit: one of :data:`ARMS`, or ``variant_<name>``; empty for other kinds."""
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
            for arm in spec.arms:
                versus = task in spec.versus_tasks
                wanted = spec.versus_seeds if versus and arm in ("uniform", "guided") else spec.seeds
                if seed < wanted and (versus or arm != "oracle"):
                    found.append(Unit(task=task, kind="tune", arm=arm, seed=seed))
            if seed < spec.seeds and "guided" in spec.arms:
                found.append(Unit(task=task, kind="starts", seed=seed))
    for seed in range(spec.seeds):
        for task in spec.ablation_tasks:
            found += [Unit(task=task, kind="tune", arm=VARIANT + name, seed=seed) for name in spec.variants]
    return found


def identity(spec: StudySpec, task: Task, base: Path) -> str:
    """Hash of what measuring a task's base policy depends on; a stored unit with another one is run again.

    Of the file ``base`` the weights count, not the record of what they were trained with: that changes no episode.
    """
    settings = to_mapping(spec)
    measured = {name: settings[name] for name in MEASURING}
    weights = {name: array for name, array in load_arrays(base).items() if name != TRAINED_WITH}
    return _hash([measured, task.hash(), digest(weights)])


def unit_identity(identity: str, spec: StudySpec, unit: Unit) -> str:
    """The same of one unit: training matters to fine-tuned ones alone, acquisition to guided ones."""
    if unit.kind == "base":
        return identity
    settings = to_mapping(spec)
    # More tasks or seeds do not change the units that are there.
    training = {name: value for name, value in settings.items() if name not in (*MEASURING, *EXTENT, *GUIDANCE)}
    parts: list[Any] = [identity, TRAINING, training]
    if unit.kind == "starts" or unit.arm == "guided":
        parts.append(settings["acquisition"])
    elif unit.arm.startswith(VARIANT):
        parts.append(settings["variants"][unit.arm.removeprefix(VARIANT)])
    return _hash(parts)


def _hash(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
