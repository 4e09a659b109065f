"""``train_base``: imitate the scripted search and run PPO on the training box; writes weights and their provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from refinery.config import to_mapping
from refinery.storage import check_writable, write_whole
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.base import BaseSpec, train_base
from refinery_sim_train.refine.evaluate import evaluate
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import own_base


@dataclass(frozen=True, kw_only=True)
class Args(SimulatorArgs):
    """Train a base policy by imitation and PPO in the cell it comes from: the training box, no neighbouring parts."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    seed: int = 0
    """Seed of all random numbers, 0 to 9999."""
    out: Path | None = None
    """Weights file (.npz); default runs/<task>_base/base.npz."""
    test_episodes: int = 1024
    """Episodes per reported figure, on test seeds."""
    spec: BaseSpec = field(default_factory=lambda: BaseSpec(env_steps=51_200, environments=128))
    """Lengths and networks."""


def train(args: Args) -> None:
    """Train, test on both boxes, and write weights and a JSON file with their provenance."""
    task = read_task(args.task)
    out = args.out or own_base(task)
    check_writable(out.parent)
    training = args.make_env(task.as_trained(), args.spec.environments)
    agent, spent = train_base(training, args.spec, args.seed)
    rates = {}
    for index, (name, box) in enumerate(
        (("trained", task.initial_state.trained), ("deployed", task.initial_state.deployed))
    ):
        seed = stream_seed(task.name, "test", args.seed, 900 + index)
        env = args.make_env(task.as_trained() if name == "trained" else task, 256)
        theta = box.uniform(args.test_episodes, np.random.default_rng(seed))
        with stage(f"test: uniform over the {name} box") as update:
            outcomes = evaluate(env, agent, theta, seed, update)
            update(1.0, str(outcomes.rate))
        rates[f"uniform_{name}"] = outcomes.rate.to_json()
    agent.save(out)
    facts = provenance(seed=args.seed, env_steps=spent)
    record = {"task": task.name, "task_hash": task.hash(), "settings": to_mapping(args.spec), "strict": rates, **facts}
    record["simulator"] = training.simulator.to_json()
    record["trained_with"] = to_mapping(agent.trained_with)
    write_whole(out.with_suffix(".json"), json.dumps(record, indent=2) + "\n")
    console.print(f"weights: {out}")


def main() -> None:
    """Entry point."""
    run(Args, train)
