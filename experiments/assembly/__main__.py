"""``python -m experiments.assembly``: does a chain of insertions hold, and what do errors that carry over cost?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from experiments.assembly.plot import drawn
from experiments.assembly.policies import Condition
from experiments.assembly.summary import shown, summarize
from experiments.assembly.work import Work, run_all
from experiments.results_file import campaign_origin, merge_results, read_results
from refinery.config import check
from refinery.sequence.bundles import shipped_bundles
from refinery.sequence.sequence import load_sequence
from refinery.storage import check_writable, write_whole
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.provenance import provenance

_ALONE_SEED = 1_000_000
"""Seeds of single steps begin here: no assembly shares their numbers."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Run whole assemblies without ROS: the node's policy tick on the twin's physics, errors carried over."""

    sequence: str = "gearbox"
    """Name in config/sequences or path."""
    refined: Path = field(default_factory=shipped_bundles)
    """Folder with one refined bundle per step's task, run with uniform and with chosen starts beside the base."""
    assemblies: int = 500
    """Assemblies of every condition."""
    alone: int = 200
    """Runs of every step alone, with the parts before it in place; 0 leaves them out."""
    jobs: int = 2
    """Processes."""
    seed: int = 0
    """Seed of the first assembly; all conditions share seeds."""
    log: Path | None = None
    """File that keeps what is done, so that a study goes on where it stopped; default: below runs/assembly_study, by
    sequence and commit."""
    out: Path = Path("results/assembly.json")
    """Results, by sequence; the plot goes beside it."""

    def __post_init__(self) -> None:
        """Validate counts."""
        check(self.assemblies > 0, "assemblies", "1 or more", self.assemblies)
        check(self.alone >= 0 and self.jobs > 0, "alone", "0 or more, with 1 job or more", (self.alone, self.jobs))
        check(0 <= self.seed < _ALONE_SEED, "seed", f"0 to {_ALONE_SEED - 1}", self.seed)


def main() -> None:
    """Entry point."""
    run(Args, study)


def study(args: Args) -> None:
    """Run all conditions, write results and plot."""
    check_writable(args.out.parent)
    sequence = load_sequence(args.sequence)
    plot = args.out.with_name(f"{args.out.stem}_{sequence.name}.png")
    names = [step.name for step in sequence.steps]
    origin = campaign_origin(provenance(seed=args.seed, env_steps=0), "assembly-study")
    log = args.log or Path(f"runs/assembly_study/{sequence.name}-{origin['commit'][:10]}.jsonl")
    check_writable(log.parent)
    found = {}
    for condition in _conditions(args):
        whole = [Work(sequence=args.sequence, condition=condition, seed=args.seed + i) for i in range(args.assemblies)]
        single = [
            replace(whole[0], seed=_ALONE_SEED + i, step=step) for step in range(len(names)) for i in range(args.alone)
        ]
        with stage(f"{condition.name}: {len(whole)} assemblies, {len(single)} single steps"):
            records = run_all(args.jobs, [*whole, *single], log)
        alone = {
            name: records[len(whole) + i * args.alone :][: args.alone] for i, name in enumerate(names) if args.alone
        }
        found[condition.name] = summarize(names, records[: len(whole)], alone)
        console.print(f"{condition.name}: {shown(found[condition.name])}")
    # Other sequences' figures stay.
    merge_results(args.out, {sequence.name: {"origin": origin, "conditions": found}})
    write_whole(plot, drawn(sequence.name, read_results(args.out)[sequence.name]["conditions"]))
    console.print(f"written to {args.out} and {plot}")


def _conditions(args: Args) -> list[Condition]:
    return [
        Condition(name="base"),
        Condition(name="refined", bundles=args.refined),
        Condition(name="refined, chosen starts", bundles=args.refined, chosen=True),
    ]


if __name__ == "__main__":
    main()
