"""Insertion tasks that Isaac Lab ships, with starts that are imposed and outcomes that are heard, one by one.

``Refinery-Factory-PegInsert-Direct`` and ``Refinery-AutoMate-Assembly-Direct`` need Isaac Sim (PhysX);
``Refinery-Factory-Franka`` runs on Newton too. All three need NVIDIA's assets. Observations, actions and rewards stay
those of Isaac Lab, so checkpoints trained there run in them.
"""

from __future__ import annotations

import gymnasium

_RL_GAMES = "rl_games_cfg_entry_point"
_CONTRIB = "isaaclab_tasks.contrib"
_TASKS = {
    "Refinery-Factory-PegInsert-Direct": {
        "entry_point": f"{__name__}.factory:ImposedFactoryEnv",
        "env_cfg_entry_point": f"{__name__}.factory:ImposedFactoryCfg",
        _RL_GAMES: f"{_CONTRIB}.factory.agents:rl_games_ppo_cfg.yaml",
    },
    "Refinery-AutoMate-Assembly-Direct": {
        "entry_point": f"{__name__}.automate:ImposedAutoMateEnv",
        "env_cfg_entry_point": f"{__name__}.automate:ImposedAutoMateCfg",
        _RL_GAMES: f"{_CONTRIB}.automate.agents:rl_games_ppo_cfg.yaml",
    },
    "Refinery-Factory-Franka": {
        "entry_point": f"{__name__}.factory_franka:ImposedFrankaEnv",
        "env_cfg_entry_point": f"{__name__}.factory_franka:ImposedFrankaCfg",
        "rsl_rl_cfg_entry_point": f"{_CONTRIB}.nist.config.agents.rsl_rl_ppo_cfg:FactoryPPORunnerCfg",
    },
}


def upstream_ids() -> tuple[str, ...]:
    """Return the registered ids; Isaac Lab's own begin with ``IsaacContrib`` instead of ``Refinery``."""
    return tuple(_TASKS)


def register() -> None:
    """Register the tasks with Gymnasium, each with the agent that Isaac Lab has for it; once is enough."""
    for task_id, known in _TASKS.items():
        if task_id not in gymnasium.registry:
            kwargs = {key: value for key, value in known.items() if key != "entry_point"}
            gymnasium.register(task_id, known["entry_point"], disable_env_checker=True, kwargs=kwargs)
