"""``export``: test a policy as it is, fit the mixture over its successes, and write a bundle without refining."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from refinery.config import to_mapping
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.refine.package import Packaged, Packager
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.settings import read_preset, read_task
from refinery_sim_train.weights import WeightsArgs, base_of, load_weights


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Write a bundle from trained weights; the parity gate between ONNX Runtime and torch must pass."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    weights: Path | None = None
    """Weights (.npz); default: the shipped base policy, or else train_base's own."""
    preset: str = "quick"
    """Name in config/refine or path: how many episodes the mixture and the figures get."""
    seed: int = 0
    """Seed of all random numbers, 0 to 9999."""
    out: Path = Path("runs/export")
    """Run folder; the bundle is <out>/bundle."""
    resume: bool = False
    """Go on with an export that was interrupted."""


def export(args: Args) -> Packaged:
    """Test, fit and write."""
    task, spec = read_task(args.task), read_preset(args.preset)
    file = args.weights or base_of(task)
    agent = load_weights(file, task, args)
    identity = {"task_hash": task.hash(), "settings": to_mapping(spec), "seed": args.seed, "weights": file.name}
    identity["trained_with"] = to_mapping(agent.trained_with)
    folder = RunFolder(args.out, identity, resume=args.resume)
    env = make_env(task, spec.environments)
    packager = Packager(task, env, agent, spec, args.seed, folder, accept_other_gains=args.accept_other_gains)
    packed = packager.package(args.out / "bundle", agent, 0, {"kept_round": 0}, lambda text: console.print(f"  {text}"))
    console.print(f"policy   {packed.refined.rate}")
    return packed


def _command(args: Args) -> None:
    export(args)


def main() -> None:
    """Entry point."""
    run(Args, _command)
