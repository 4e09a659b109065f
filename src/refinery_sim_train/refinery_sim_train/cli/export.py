"""``export``: test a policy as it is, fit the mixture over its successes, and write a bundle without refining."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinery.config import to_mapping
from refinery.task import Task
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.learn.deployed import Policy
from refinery_sim_train.refine.package import Packaged, Packager
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.settings import read_preset, read_task
from refinery_sim_train.weights import GainsArgs, WeightsArgs, base_of, load_weights


@dataclass(frozen=True, kw_only=True)
class ShippingArgs(SimulatorArgs, GainsArgs):
    """Options of the commands that ship a policy as it is."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    preset: str = "quick"
    """Name in config/refine or path: how many episodes the mixture and the figures get."""
    seed: int = 0
    """Seed of all random numbers, 0 to 9999."""
    out: Path = Path("runs/export")
    """Run folder; the bundle is <out>/bundle."""
    resume: bool = False
    """Go on with an export that was interrupted."""


@dataclass(frozen=True, kw_only=True)
class Args(ShippingArgs, WeightsArgs):
    """Write a bundle from trained weights; the parity gate between ONNX Runtime and torch must pass."""

    weights: Path | None = None
    """Weights (.npz); default: the shipped base policy, or else train_base's own."""


def export(args: Args) -> Packaged:
    """Test, fit and write."""
    task = read_task(args.task)
    file = args.weights or base_of(task)
    return ship(args, task, load_weights(file, task, args), {"weights": file.name}, {"kept_round": 0})


def ship(args: ShippingArgs, task: Task, policy: Policy, identity: dict[str, Any], notes: dict[str, Any]) -> Packaged:
    """Test a policy, fit the mixture over its successes and write the bundle.

    Args:
        args: Options.
        task: The task it is to solve.
        policy: The policy.
        identity: What tells its run from others, besides task, settings, seed and simulator.
        notes: Added to the bundle's provenance.
    """
    spec = read_preset(args.preset)
    facts = {"task_hash": task.hash(), "settings": to_mapping(spec), "seed": args.seed}
    facts |= {"trained_with": to_mapping(policy.trained_with), "simulator": args.simulator.to_json(), **identity}
    folder = RunFolder(args.out, facts, resume=args.resume)
    env = args.make_env(task, spec.environments)
    packager = Packager(task, env, policy, spec, args.seed, folder, accept_other_gains=args.accept_other_gains)
    packed = packager.package(args.out / "bundle", policy, 0, notes, lambda text: console.print(f"  {text}"))
    console.print(f"policy   {packed.refined.rate}")
    return packed


def _command(args: Args) -> None:
    export(args)


def main() -> None:
    """Entry point."""
    run(Args, _command)
