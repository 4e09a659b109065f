"""Settings of rsl_rl's PPO for our tasks, from scratch; the observations and actions are those of a bundle's policy."""

from __future__ import annotations

from dataclasses import field

from isaaclab.utils import configclass
from isaaclab_rl.rsl_rl import RslRlMLPModelCfg, RslRlOnPolicyRunnerCfg, RslRlPpoAlgorithmCfg

from refinery_sim_train.learn.agent import GROUPS, AgentSpec
from refinery_sim_train.learn.ppo import PpoSpec

_AGENT, _PPO = AgentSpec(), PpoSpec()


@configclass
class InsertionPpoRunnerCfg(RslRlOnPolicyRunnerCfg):
    """The networks that refinement has, so that ``refinery import-policy`` takes a checkpoint of theirs."""

    num_steps_per_env: int = _PPO.num_steps_per_env
    max_iterations: int = 1500
    save_interval: int = 50
    experiment_name: str = "refinery_insertion"
    obs_groups: dict[str, list[str]] = field(default_factory=lambda: {"actor": GROUPS["actor"], "critic": ["critic"]})
    actor: RslRlMLPModelCfg = RslRlMLPModelCfg(
        hidden_dims=list(_AGENT.hidden),
        activation="elu",
        obs_normalization=True,
        distribution_cfg=RslRlMLPModelCfg.GaussianDistributionCfg(init_std=1.0),
    )
    critic: RslRlMLPModelCfg = RslRlMLPModelCfg(
        hidden_dims=list(_AGENT.hidden), activation="elu", obs_normalization=True
    )
    algorithm: RslRlPpoAlgorithmCfg = RslRlPpoAlgorithmCfg(
        value_loss_coef=1.0,
        use_clipped_value_loss=True,
        clip_param=_PPO.clip_param,
        entropy_coef=0.0,
        num_learning_epochs=_PPO.num_learning_epochs,
        num_mini_batches=_PPO.num_mini_batches,
        learning_rate=_PPO.learning_rate,
        schedule="adaptive",
        gamma=_PPO.gamma,
        lam=_PPO.lam,
        desired_kl=0.01,
        max_grad_norm=1.0,
    )
