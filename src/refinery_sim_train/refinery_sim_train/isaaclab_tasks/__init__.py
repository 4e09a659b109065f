"""Our tasks in Isaac Lab's registry: importing this registers them; Isaac Lab's command line does, by its entry point.

``Refinery-Insertion-Direct`` is ``peg_rect``, or the task that ``env.task=<name or path>`` says; every shipped task has
an id of its own besides, ``Refinery-Insertion-<Task>-Direct``. Like Isaac Lab 3.0's own, the ids have no version.
"""

from __future__ import annotations

import gymnasium

from refinery.paths import share_dir
from refinery_sim_train import isaaclab_upstream

DEFAULT_TASK = "peg_rect"


def task_ids() -> dict[str, str]:
    """Return the registered ids and the name of the task of each."""
    names = sorted(path.stem for path in (share_dir() / "config" / "tasks").glob("*.yaml"))
    ids = {"Refinery-Insertion-Direct": DEFAULT_TASK}
    for name in names:
        camel = "".join(part.capitalize() for part in name.split("_"))
        ids[f"Refinery-Insertion-{camel}-Direct"] = name
    return ids


def register() -> None:
    """Register all tasks with Gymnasium; once is enough."""
    for task_id, name in task_ids().items():
        if task_id in gymnasium.registry:
            continue
        gymnasium.register(
            id=task_id,
            entry_point=f"{__name__}.direct_env:InsertionDirectEnv",
            disable_env_checker=True,
            kwargs={
                "env_cfg_entry_point": f"{__name__}.cfg:{cfg_name(name)}",
                "rsl_rl_cfg_entry_point": f"{__name__}.agent_cfg:InsertionPpoRunnerCfg",
                "default_agent": "rsl_rl",
            },
        )


def cfg_name(task: str) -> str:
    """Return the name of the class in :mod:`.cfg` that configures a task."""
    return "".join(part.capitalize() for part in task.split("_")) + "EnvCfg"


register()
isaaclab_upstream.register()
