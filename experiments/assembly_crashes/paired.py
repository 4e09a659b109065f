"""``python -m experiments.assembly_crashes.paired``: the campaign's undisturbed runs beside the runner without ROS."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from experiments.assembly.policies import Condition, load_policies
from experiments.assembly.runner import AssemblyRunner
from experiments.results_file import merge_results, read_results
from refinery.config import check
from refinery.robot_profile import load_robot_profile
from refinery.sequence.bundles import shipped_bundles
from refinery.sequence.sequence import load_sequence
from refinery.statistics import PairedComparison
from refinery_sim_train.command import run
from refinery_sim_train.console import console

RESULTS = Path("results/assembly_crashes.json")


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run the cells of the crash campaign's undisturbed assemblies without ROS, and compare."""

    bundles: Path = field(default_factory=shipped_bundles)
    """Folder of the bundles that the campaign ran."""
    out: Path = RESULTS
    """The campaign's results file, which gets the comparison too."""


def compare(args: Args) -> None:
    """Run, compare and write."""
    results = read_results(args.out)
    records = [record for record in results.get("runs", []) if not record["victim"]]
    check(len(records) > 0, str(args.out), "undisturbed runs of make assembly-crashes", "none")
    sequence = load_sequence(results["setting"]["sequence"])
    runner = AssemblyRunner(sequence, load_robot_profile("twin"))
    policies = load_policies(sequence, Condition(name="refined, chosen starts", bundles=args.bundles, chosen=True))
    pairs = []
    for record in records:
        without = runner.assemble(policies, record["seed"])
        pairs.append(
            {
                "seed": record["seed"],
                "nodes": record["complete"],
                "without_ros": without.finished,
                "insertions_nodes": record["insertions"],
                "insertions_without_ros": sum(step.attempts for step in without.steps),
                "aside_mm_nodes": [record["parts"][step.part]["aside_mm"] for step in sequence.steps],
                "aside_mm_without_ros": [round(step.lateral_mm, 3) for step in without.steps],
            }
        )
        console.print(pairs[-1], markup=False)
    merge_results(args.out, {"paired": figures(pairs) | {"pairs": pairs}})


def figures(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the comparison of success, as JSON."""
    found = PairedComparison.of([pair["without_ros"] for pair in pairs], [pair["nodes"] for pair in pairs])
    return {
        "n": found.n,
        "nodes": sum(pair["nodes"] for pair in pairs),
        "without_ros": sum(pair["without_ros"] for pair in pairs),
        "difference": found.difference,
        "interval": list(found.interval),
        "p_value": found.p_value,
    }


if __name__ == "__main__":
    run(Args, compare)
