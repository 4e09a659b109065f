"""``refine``: find where a base policy fails, fine-tune it there, fit the mixture, test, and write a bundle."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from refinery.bringup.executables import find_executable
from refinery.errors import NotReadyError
from refinery.statistics import paired_p_value, rate_difference_interval
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.refine.loop import RefineResult
from refinery_sim_train.refine.prepare import prepare_refinement
from refinery_sim_train.settings import read_preset, read_task
from refinery_sim_train.weights import WeightsArgs


@dataclass(frozen=True, kw_only=True)
class Args(SimulatorArgs, WeightsArgs):
    """Refine a policy where it fails and write a bundle for the robot."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    preset: str = "quick"
    """Name in config/refine or path: rounds, episodes and environment steps."""
    base: Path | None = None
    """Weights of the base policy (.npz of train_base); default: the shipped one, or else train_base's own."""
    seed: int = 0
    """Seed of all random numbers, 0 to 9999."""
    out: Path | None = None
    """Run folder; default runs/<task>_<preset>_<seed>."""
    report: bool = True
    """Write <out>/report.html at the end."""
    num_envs: int = 0
    """Environments stepped at once; 0 takes the preset's."""
    resume: bool = False
    """Go on with a run that was interrupted; finished stages are not repeated."""


def refine(args: Args) -> RefineResult:
    """Run the refinement and print what it found."""
    task, spec = read_task(args.task), read_preset(args.preset)
    if args.num_envs:
        spec = dataclasses.replace(spec, environments=args.num_envs)
    out = args.out or Path("runs") / f"{task.name}_{Path(args.preset).stem}_{args.seed}"
    refinement = prepare_refinement(
        task, spec, args, seed=args.seed, out=out, base=args.base, resume=args.resume, simulator=args
    )
    console.print(f"refining {task.name}: {task.description}")
    result = refinement.run(out / "bundle", lambda text: console.print(f"  {text}"))
    stronger = result.stronger
    low, high = rate_difference_interval(stronger.rate, result.refined.rate)
    console.print(f"base     {result.base.rate}")
    if result.clipped is not None:
        console.print(f"clipped  {result.clipped.rate}: the base with clipped observations, nothing trained")
    console.print(f"refined  {result.refined.rate}")
    console.print(f"starts   {result.started.rate} when the {result.rule} chooses them")
    console.print(
        f"gain     {100 * (result.refined.rate.value - stronger.rate.value):+.1f} points over the stronger of both "
        f"(95 % interval {100 * low:+.1f} to {100 * high:+.1f}; "
        f"paired p = {paired_p_value(stronger.strict, result.refined.strict):.1e}), "
        f"for {result.env_steps} environment steps"
    )
    return result


def _command(args: Args) -> None:
    result = refine(args)
    if args.report:
        _write_report(result.bundle.parent)


def _write_report(run_folder: Path) -> None:
    """Have the page written where the package that writes pages is installed; the run is complete without it."""
    try:
        program = find_executable("refinery_evaluation", "report", os.environ)
    except NotReadyError as error:
        console.print(f"no report: {error}", markup=False)
        return
    if subprocess.run([program, "--run", str(run_folder)], check=False).returncode:
        console.print(f"no report; try again: refinery report --run {run_folder}", markup=False)


def main() -> None:
    """Entry point."""
    run(Args, _command)
