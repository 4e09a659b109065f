"""``twin_pairs``: does a policy succeed on the twin as often as in the training environment, on the same episodes?"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from experiments.results_file import merge_results, read_results
from experiments.twin_pairs.pairs import TwinPairs, run_pairs
from refinery.bundle import Bundle, load_bundle
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.statistics import paired_difference_interval, paired_p_value
from refinery.storage import check_writable
from refinery_sim_train.cli import export
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.shipped_policy import ShippedPolicy
from refinery_sim_train.weights import WeightsArgs


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Run the same episodes in the training environment and on the twin's physics, and compare success."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file; its shipped base policy is exported (ignored with --bundle)."""
    bundle: Path | None = None
    """Bundle to compare."""
    episodes: int = 400
    """Episodes each way."""
    seed: int = 0
    """Seed, 0 to 9999."""
    environments: int = 100
    """Environments stepped at once."""
    out: Path = Path("results/twin.json")
    """Results file; other tasks in it are kept."""


def compare(args: Args) -> None:
    """Run, print and write."""
    check_writable(args.out.parent)
    # A damaged file is found before the work, not after it.
    read_results(args.out)
    with tempfile.TemporaryDirectory() as scratch:
        path = args.bundle
        if path is None:
            exported = export.Args(
                task=args.task,
                preset="smoke",
                out=Path(scratch) / "export",
                accept_other_gains=args.accept_other_gains,
                trained_with=args.trained_with,
            )
            path = export.export(exported).bundle
        bundle = load_bundle(path)
        pairs = _run(args, bundle)
    task = bundle.task
    training, twin = pairs.rates
    low, high = paired_difference_interval(pairs.training, pairs.twin)
    console.print(f"training environment: {training}")
    console.print(f"twin, 1 kHz, guarded:  {twin}")
    points = 100 * (twin.value - training.value)
    p = paired_p_value(pairs.training, pairs.twin)
    console.print(
        f"twin - environment, same episodes: {points:+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f} "
        f"(exact McNemar p = {p:.2g}); stopped by the guard: {pairs.stops or 'none'}"
    )
    lost = int((pairs.stopped & pairs.training).sum())
    ran = pairs.of(~pairs.stopped)
    left = [100 * end for end in paired_difference_interval(ran.training, ran.twin)]
    console.print(
        f"of the {int(pairs.stopped.sum())} stopped, {lost} succeed in the environment; without the stopped ones the "
        f"difference is {left[0]:+.1f} to {left[1]:+.1f} points"
    )
    facts = provenance(seed=args.seed, env_steps=0)
    figures = {
        task.name: {
            "training": training.to_json(),
            "twin": twin.to_json(),
            "both": int((pairs.training & pairs.twin).sum()),
            "difference_points": round(points, 2),
            "interval_points": [round(100 * low, 2), round(100 * high, 2)],
            "p": round(p, 4),
            "guard_stops": pairs.stops,
            "stopped_but_won_in_training": lost,
            "interval_points_without_stopped": [round(end, 2) for end in left],
            **{key: facts[key] for key in ("git_revision", "date", "machine", "seed")},
            "command": f"make twin-pairs ARGS='--task {task.name}'",
        }
    }
    merge_results(args.out, figures)


def _run(args: Args, bundle: Bundle) -> TwinPairs:
    profile = load_robot_profile(config_file("robots", "twin"))
    env = make_env(bundle.task, min(args.environments, args.episodes))
    with stage(f"{bundle.task.name}: {args.episodes} episodes, both ways") as update:
        return run_pairs(
            env,
            bundle,
            ShippedPolicy(bundle.policy_path),
            profile.arm_kinematics(),
            profile.home_rad,
            count=args.episodes,
            seed=stream_seed(bundle.task.name, "test", args.seed, 0),
            report=lambda share: update(share, ""),
        )


def main() -> None:
    """Entry point."""
    run(Args, compare)


if __name__ == "__main__":
    main()
