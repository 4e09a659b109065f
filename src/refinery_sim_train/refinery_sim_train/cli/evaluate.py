"""``evaluate``: strict success of a bundle or of weights on test seeds, with interval."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinery.bundle import load_bundle
from refinery.config import to_mapping
from refinery.errors import ConfigError
from refinery.storage import check_writable, write_whole
from refinery.trained_with import TrainedWith
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.refine.evaluate import by_estimate_error, evaluate
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts
from refinery_sim_train.settings import read_task
from refinery_sim_train.shipped_policy import ShippedPolicy
from refinery_sim_train.weights import WeightsArgs, base_of, load_weights


@dataclass(frozen=True, kw_only=True)
class Args(SimulatorArgs, WeightsArgs):
    """Measure strict success over the deployment box on test seeds."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file (ignored with --bundle, which carries its task)."""
    bundle: Path | None = None
    """Bundle to evaluate, through ONNX Runtime."""
    weights: Path | None = None
    """Weights to evaluate (.npz); default: the shipped base policy, or else train_base's own."""
    starts: str = "uniform"
    """Distribution of the initial states: uniform, or mixture (needs --bundle)."""
    episodes: int = 1024
    """Test episodes."""
    seed: int = 0
    """Seed, 0 to 9999."""
    environments: int = 256
    """Environments stepped at once."""
    json_out: Path | None = None
    """Also write the figures here."""


def measure(args: Args) -> None:
    """Evaluate and print."""
    bundle = load_bundle(args.bundle) if args.bundle else None
    task = bundle.task if bundle else read_task(args.task)
    seed = stream_seed(task.name, "test", args.seed, 0)
    if args.starts not in ("uniform", "mixture") or (args.starts == "mixture" and bundle is None):
        raise ConfigError("--starts", "", "uniform, or mixture together with --bundle", args.starts)
    if bundle is not None and args.starts == "mixture":
        theta = bundle.initial_states.mixture.sample(args.episodes, np.random.default_rng([seed, 1]))
    else:
        theta = uniform_starts(task.name, task.initial_state.deployed, args.episodes, "test", args.seed)
    policy: ShippedPolicy | Agent
    trained_with: TrainedWith | None
    if bundle is not None:
        policy, trained_with = ShippedPolicy(bundle.policy_path), bundle.trained_with
        for phrase in bundle.other_gains:
            console.print(f"{bundle.path}: {phrase}: accepted when it was written", style="yellow", markup=False)
    else:
        policy = agent = load_weights(args.weights or base_of(task), task, args)
        trained_with = agent.trained_with
    if args.json_out:
        check_writable(args.json_out.parent)
    env = args.make_env(task, args.environments)
    with stage(f"evaluate {task.name}") as update:
        outcomes = evaluate(env, policy, theta, seed, update)
    console.print(f"strict success, {args.starts} starts: {outcomes.rate}")
    console.print(f"engaged at any step (the released code's loose test): {100 * outcomes.engaged.mean():.1f} %")
    for low, high, rate in by_estimate_error(outcomes):
        console.print(f"  socket estimated wrong by {1e3 * low:.2f} to {1e3 * high:.2f} mm: {rate}")
    if args.json_out:
        figures = {"task": task.name, "starts": args.starts, "seed": args.seed, "strict": outcomes.rate.to_json()}
        figures |= {"simulator": env.simulator.to_json()}
        figures |= {"control": to_mapping(task.control), "trained_with": to_mapping(trained_with)}
        write_whole(args.json_out, json.dumps(figures, indent=2) + "\n")


def main() -> None:
    """Entry point."""
    run(Args, measure)
