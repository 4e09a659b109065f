"""Settings of a refinement run (``config/refine/*.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass, field

from refinery.config import check
from refinery_sim_train.learn.ppo import PpoSpec
from refinery_sim_train.refine.acquire import AcquisitionSpec
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec
from refinery_sim_train.refine.sources import SOURCES
from refinery_sim_train.refine.start_rules import StartSpec
from refinery_sim_train.refine.success_fit import SuccessFitSpec


@dataclass(frozen=True, kw_only=True)
class RefineSpec:
    """A refinement run."""

    rounds: int
    """Most rounds, each of refitting the source of starts and fine-tuning, at least 1."""
    iterations_per_round: int
    """PPO iterations of a round; one is environments x ppo.num_steps_per_env environment steps."""
    validate_every: int
    """Rounds between two validations, a divisor of ``rounds``; the best validated policy is kept."""
    search_episodes: int
    """Episodes of the base policy that the first success model is fitted on; they count as environment steps."""
    validation_episodes: int
    """Episodes per validation."""
    mixture_episodes: int
    """Episodes of the kept policy that the start rules are fitted on."""
    test_episodes: int
    """Episodes per reported figure, on seeds nothing else uses."""
    environments: int
    """Environments stepped at once."""
    source: str = "auto"
    """Source of the starts of fine-tuning: ``uniform``, ``resampled`` (from logged failures), ``guided`` (success model
    and acquisition, the paper's) or ``auto``: guided where the search episodes say that it pays, else uniform."""
    window: int = 1024
    """Episodes, the newest, that the success model is refitted on between rounds."""
    observation_clip: float = 4.0
    """Clip of normalised observations to try on the base, in standard deviations; 0 tries none."""
    clock_steps: tuple[float, ...] = (15.0, 8.0)
    """Periods of the clock added to the policy's observations, in policy steps; a base with a clock keeps its own."""
    lstm: int = 0
    """Units of an LSTM that is added to a base without memory; 0 adds none."""
    gate_episodes: int = 1000
    """Episodes whose observations the parity gate compares ONNX Runtime and torch on."""
    converged_variation: float = 0.05
    """Stop when validated success varied by less than this over ``converged_rounds`` (paper: 5 % over 5)."""
    converged_rounds: int = 5
    """Validations looked at for convergence."""
    ppo: PpoSpec = field(default_factory=PpoSpec)
    """Hyper-parameters of PPO."""
    acquisition: AcquisitionSpec = field(default_factory=AcquisitionSpec)
    """Settings of the acquisition function."""
    success_fit: SuccessFitSpec = field(default_factory=SuccessFitSpec)
    """Settings of the success model's fit."""
    mixture: MixtureFitSpec = field(default_factory=MixtureFitSpec)
    """Settings of the mixtures' fits."""
    starts: StartSpec = field(default_factory=StartSpec)
    """Settings of the start rules."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name in ("rounds", "iterations_per_round", "validate_every", "window", "environments", "gate_episodes"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        for name in ("search_episodes", "validation_episodes", "mixture_episodes", "test_episodes"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        check(self.source in SOURCES, "source", f"one of {', '.join(SOURCES)}", self.source)
        divides = self.rounds % self.validate_every == 0
        check(divides, "validate_every", f"a divisor of the {self.rounds} rounds", self.validate_every)
        check(self.observation_clip >= 0, "observation_clip", "0 (none) or more", self.observation_clip)
        check(all(period > 0 for period in self.clock_steps), "clock_steps", "positive periods", self.clock_steps)
        check(self.lstm >= 0, "lstm", "0 or more units", self.lstm)
        check(0 < self.converged_variation <= 1, "converged_variation", "in (0, 1]", self.converged_variation)
