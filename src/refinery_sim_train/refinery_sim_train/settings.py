"""Tasks and refinement settings, by the names they have in ``config/`` or by path."""

from __future__ import annotations

from refinery.config import load_dataclass
from refinery.paths import config_file
from refinery.task import Task
from refinery_sim.task import load_task
from refinery_sim_train.refine.config import RefineSpec


def read_task(name: str) -> Task:
    """Read a task by name or path."""
    return load_task(config_file("tasks", name))


def read_preset(name: str) -> RefineSpec:
    """Read refinement settings by name or path."""
    return load_dataclass(config_file("refine", name), RefineSpec)
