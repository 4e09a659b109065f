"""``import_policy``: a checkpoint of Isaac Lab's libraries becomes a bundle, if it has this version's contract."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import yaml

from refinery.config import load_dataclass, to_mapping
from refinery.errors import ConfigError, GainsError
from refinery_sim_train.checkpoints.agent import as_agent
from refinery_sim_train.checkpoints.contract import LIBRARIES, Contract
from refinery_sim_train.checkpoints.policy import ImportedPolicy
from refinery_sim_train.checkpoints.read import read_actor
from refinery_sim_train.cli.export import ShippingArgs, ship
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.refine.package import Packaged
from refinery_sim_train.settings import read_task


@dataclass(frozen=True, kw_only=True)
class Args(ShippingArgs):
    """Write a bundle from a checkpoint of rsl_rl (.pt) or rl_games (.pth); its policy runs behind the same guard.

    The checkpoint holds weights but not what they mean: its contract does, and is refused where it is not this
    version's. --template prints the contract of a task to begin with.
    """

    checkpoint: Path | None = None
    """Checkpoint; read as weights and numbers only, code in it is not run."""
    contract: Path | None = None
    """YAML file that declares observation, action, control and normaliser of the checkpoint."""
    template: str = ""
    """Print the contract of --task for a library, rsl_rl or rl_games, and do nothing else."""
    weights_out: Path | None = None
    """Write the policy as weights (.npz) for ``refine --base``, which trains it further, instead of a bundle."""
    out: Path = Path("runs/import")
    """Run folder; the bundle is <out>/bundle."""


def import_policy(args: Args) -> Packaged | None:
    """Check, then test, fit and write a bundle, or write weights (None).

    Raises:
        ConfigError: The contract or the checkpoint cannot be used.
        RefineryError: Weights were asked for and its network is not one that can be trained further here.
        GainsError: It was trained with other control settings than the task's and that was not accepted.
    """
    task = read_task(args.task)
    if args.checkpoint is None or args.contract is None:
        raise ConfigError("--checkpoint, --contract", "", "both files", "one or none", "--template rsl_rl begins one")
    contract = load_dataclass(args.contract, Contract)
    if others := contract.differences():
        hint = "train it with this observation and action: task Refinery-Insertion-Direct of docs/isaaclab.md has them"
        raise ConfigError(args.contract, "", "the contract of this version", "; ".join(others), hint)
    network = read_actor(args.checkpoint, contract)
    if (gains := contract.trained_with().differences(task.control)) and not args.accept_other_gains:
        raise GainsError(
            f"{args.contract} for task {task.name}: {'; '.join(gains)}; take the settings back, or accept them with "
            "--accept-other-gains: success will differ"
        )
    if args.weights_out is not None:
        as_agent(network, contract.trained_with()).save(args.weights_out)
        console.print(f"weights: {args.weights_out}", markup=False)
        return None
    sha256 = hashlib.sha256(args.checkpoint.read_bytes()).hexdigest()
    origin = {"library": contract.library, "checkpoint": args.checkpoint.name, "sha256": sha256}
    policy = ImportedPolicy(network, contract.trained_with())
    return ship(args, task, policy, {"imported": origin}, {"imported": origin})


def _command(args: Args) -> None:
    if not args.template:
        import_policy(args)
        return
    if args.template not in LIBRARIES:
        raise ConfigError("--template", "", f"one of {', '.join(LIBRARIES)}", args.template)
    contract = Contract.of(read_task(args.task), args.template)
    console.print(yaml.safe_dump(to_mapping(contract), sort_keys=False), markup=False, highlight=False, soft_wrap=True)


def main() -> None:
    """Entry point."""
    run(Args, _command)
