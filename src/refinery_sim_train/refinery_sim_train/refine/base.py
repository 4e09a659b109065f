"""Train a base policy: imitation of the scripted search, then PPO, on the training box only."""

from __future__ import annotations

from dataclasses import dataclass, field

from refinery.config import check
from refinery_sim_train.console import stage
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.learn.agent import Agent, AgentSpec
from refinery_sim_train.learn.imitate import ImitationSpec, imitate
from refinery_sim_train.learn.ppo import PpoSpec, PpoTraining
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.refine.sources import UniformSource


@dataclass(frozen=True, kw_only=True)
class BaseSpec:
    """A base training run."""

    env_steps: int
    """PPO environment steps after the imitation; 0 keeps the imitated policy."""
    environments: int
    """Environments stepped at once."""
    agent: AgentSpec = field(default_factory=AgentSpec)
    """Networks and exploration noise."""
    imitation: ImitationSpec = field(default_factory=ImitationSpec)
    """Imitation of the expert."""
    ppo: PpoSpec = field(
        default_factory=lambda: PpoSpec(
            learning_rate=3e-4, final_std=0.06, final_bonus=15.0, reward_scale=0.05, seated_steps=0
        )
    )
    """Hyper-parameters of PPO; the defaults are those of the shipped bases."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.env_steps >= 0, "env_steps", "0 or more", self.env_steps)
        check(self.environments >= 1, "environments", "at least 1", self.environments)


def train_base(env: InsertionEnv, spec: BaseSpec, seed: int) -> tuple[Agent, int]:
    """Train a base policy.

    Args:
        env: Environment of the task.
        spec: Settings.
        seed: Seed of all random numbers.

    Returns:
        The agent and the environment steps spent.
    """
    box = env.task.initial_state.trained
    train_seed = stream_seed(env.task.name, "train", seed, 0) % 2**31
    agent = Agent(spec.agent, train_seed)
    with stage("imitate the scripted search") as update:
        loss = imitate(agent, env, box, spec.imitation, train_seed, lambda note, share: update(share, note))
        update(1.0, f"mean squared action error {loss:.4f}")
    spent = spec.imitation.rounds * env.count * env.task.control.episode_steps
    if spec.env_steps:
        with stage("PPO on the training box") as update:
            per_iteration = env.count * spec.ppo.num_steps_per_env
            training = PpoTraining(
                agent, env, spec.ppo, iterations=-(-spec.env_steps // per_iteration), seed=train_seed
            )
            source = UniformSource(box)
            while training.env_steps < spec.env_steps:
                progress = training.iterate(source)
                note = f"{progress.env_steps} steps, success {100 * progress.success:.0f} %"
                update(progress.env_steps / spec.env_steps, note)
            spent += training.env_steps
    return agent, spent
