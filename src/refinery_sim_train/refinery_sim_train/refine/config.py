"""Settings of a refinement run (``config/refine/*.yaml``) and its disjoint streams of random seeds."""

from __future__ import annotations

from dataclasses import dataclass, field

from refinery.config import check
from refinery_sim_train.learn.ppo import PpoSpec
from refinery_sim_train.refine.acquire import AcquisitionSpec
from refinery_sim_train.refine.mixture_fit import MixtureFitSpec
from refinery_sim_train.refine.success_fit import SuccessFitSpec


@dataclass(frozen=True, kw_only=True)
class RefineSpec:
    """A refinement run."""

    rounds: int
    """Most rounds of evaluate, model, acquire, fine-tune."""
    search_episodes: int
    """Episodes per round that the success model is fitted on; they count as environment steps."""
    validation_episodes: int
    """Episodes per round that decide which policy is kept."""
    test_episodes: int
    """Episodes per reported figure, on seeds nothing else uses."""
    env_steps_per_round: int
    """PPO environment steps per round."""
    environments: int
    """Environments stepped at once."""
    gate_episodes: int = 1000
    """Episodes whose observations the parity gate compares ONNX Runtime and torch on."""
    converged_variation: float = 0.05
    """Stop when validated success varied by less than this over ``converged_rounds`` (paper: 5 % over 5)."""
    converged_rounds: int = 5
    """Rounds looked at for convergence."""
    ppo: PpoSpec = field(default_factory=PpoSpec)
    """Hyper-parameters of PPO."""
    acquisition: AcquisitionSpec = field(default_factory=AcquisitionSpec)
    """Where to fine-tune."""
    success_fit: SuccessFitSpec = field(default_factory=SuccessFitSpec)
    """The success model."""
    mixture: MixtureFitSpec = field(default_factory=MixtureFitSpec)
    """The mixture over successes."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        counts = ("rounds", "search_episodes", "validation_episodes", "test_episodes", "environments", "gate_episodes")
        for name in counts:
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        check(self.env_steps_per_round >= 1, "env_steps_per_round", "at least 1", self.env_steps_per_round)
        check(0 < self.converged_variation <= 1, "converged_variation", "in (0, 1]", self.converged_variation)


_STREAMS = {"search": 1, "train": 2, "validation": 3, "mixture": 4, "test": 5, "fit": 6}


def stream_seed(stream: str, seed: int, part: int = 0) -> int:
    """Seed of a named stream: streams never share draws, so test episodes are new to everything before them.

    Args:
        stream: One of search, train, validation, mixture, test, fit.
        seed: The run's seed, 0 to 9999.
        part: Round or condition, 0 to 999.

    Returns:
        A seed unique to the three.
    """
    check(0 <= seed <= 9999, "seed", "0 to 9999", seed)
    check(0 <= part <= 999, "part", "0 to 999", part)
    return _STREAMS[stream] * 100_000_000 + seed * 1000 + part
