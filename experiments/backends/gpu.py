"""``python -m experiments.backends.gpu``: a GPU in minutes: agreement of the simulators, their rates, one long refine.

It needs no ROS: with ``PYTHONPATH=src/refinery:src/refinery_sim:src/refinery_sim_train`` it runs wherever the packages
of requirements/{robot,run,nodeps,train,warp}.txt are. The results file is written after every measurement, so that a
run that is cut short keeps what it has; what fails is noted there and the rest goes on.
"""

from __future__ import annotations

import os
import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from experiments.backends.comparison import described, paired, run_base, task_to_compare
from experiments.backends.long_refinement import TimedSimulator, planned, refine_long
from experiments.backends.throughput import throughput
from experiments.results_file import merge_results, read_results
from refinery.errors import ConfigError, RefineryError
from refinery.storage import check_writable
from refinery_sim_train.backends.registry import BACKENDS, simulator
from refinery_sim_train.command import run
from refinery_sim_train.console import console
from refinery_sim_train.provenance import provenance
from refinery_sim_train.settings import read_preset, read_task


@dataclass(frozen=True, kw_only=True)
class Args:
    """Measure simulators on a GPU: agreement, throughput, and a refinement of as many steps as the time allows."""

    device: str = "cuda:0"
    """Device of the physics; cpu only tries the script."""
    task: str = "peg_rect"
    """Task of the rates and the refinement, name in config/tasks."""
    compared: tuple[str, ...] = ("peg_rect", "round_peg", "d_shaft")
    """Tasks whose episodes are run in MuJoCo's C engine as well: plugs that collide as a box, a cylinder, a hull."""
    episodes: int = 512
    """Episodes of each of them; 0 compares nothing."""
    rates: tuple[int, ...] = (256, 1024, 4096, 8192, 512, 2048)
    """Numbers of environments, in the order of measuring."""
    rate_s: float = 8.0
    """Longest time that each of them is stepped, [s]."""
    preset: str = "quick"
    """Preset of the refinement, in config/refine."""
    times: float = 20.0
    """Most training steps of the refinement, as a multiple of the preset's; 0 refines nothing."""
    num_envs: int = 2048
    """Environments of the refinement."""
    budget_s: float = 480.0
    """Time for everything, [s]; what there is no time for is left out and noted."""
    seed: int = 0
    """Seed of episodes and refinement, 0 to 9999."""
    out: Path = Path("results/gpu.json")
    """Results file; other keys in it are kept."""
    scratch: Path = Path("runs/gpu")
    """Folder of the refinement; must be empty."""


class Measuring:
    """The measurements: one results file and one deadline for all of them.

    Args:
        args: What to measure.
    """

    def __init__(self, args: Args) -> None:
        self._args, self._deadline = args, time.monotonic() + args.budget_s
        self._task = read_task(args.task)
        self._simulators: dict[str, Any] = {}
        self._throughput: dict[str, dict[str, Any]] = {}
        self._agreement: dict[str, dict[str, Any]] = {}
        self._figures: dict[str, Any] = {
            "gpu": gpu_facts(),
            "provenance": provenance(seed=args.seed, env_steps=0),
            "budget_s": args.budget_s,
            "simulators": self._simulators,
            "agreement": self._agreement,
            "throughput": self._throughput,
            "not_measured": [],
        }
        for name in BACKENDS:
            try:
                chosen = simulator(name, self._device(name))
            except ConfigError as error:
                self._figures["not_measured"].append(f"{name}: {error}")
                continue
            self._simulators[name] = chosen.to_json()

    def __call__(self) -> None:
        """Measure everything that there is time for, the quickest first."""
        args, on_gpu = self._args, [name for name in self._simulators if name != "mujoco"]
        for name in on_gpu:
            for task in args.compared if args.episodes and "mujoco" in self._simulators else ():
                self._attempt(f"agreement of {name} on {task}", partial(self._agree, name, task), least_s=30.0)
            for count in args.rates:
                what = f"throughput of {name} at {count} environments"
                self._attempt(what, partial(self._rate, name, count), least_s=2 * args.rate_s)
        for name in on_gpu[:1] if args.times else ():
            self._attempt(f"refinement on {name}", partial(self._refine, name), least_s=0.0)
        self._figures["seconds"] = round(args.budget_s - self._left_s(), 1)
        self._write()

    def _attempt(self, what: str, measure: Callable[[], None], *, least_s: float) -> None:
        """Measure one thing and write; what there is no time for and what fails is noted."""
        if self._left_s() < least_s:
            self._figures["not_measured"].append(f"{what}: no time left")
        else:
            try:
                measure()
            except Exception as error:
                # A GPU is lent for minutes: whatever one measurement stumbles over, the others are still wanted.
                console.print(traceback.format_exc(), markup=False)
                self._figures["not_measured"].append(f"{what}: {type(error).__name__}: {str(error)[:300]}")
        self._write()

    def _agree(self, name: str, task_name: str) -> None:
        task, figures = task_to_compare(task_name), self._agreement.setdefault(task_name, {})
        for backend in {"mujoco", name} - figures.keys():
            found = run_base(task, backend, self._device(backend), self._args.episodes, self._args.seed)
            figures[backend] = described(found)
        self._agreement[task_name] = paired(figures, "mujoco")

    def _rate(self, name: str, count: int) -> None:
        args = self._args
        found = throughput(self._task, name, self._device(name), count, args.seed, args.rate_s)
        self._throughput.setdefault(name, {})[str(count)] = found
        console.print(f"  {name}, {count} environments: {found}", markup=False)

    def _refine(self, name: str) -> None:
        args, preset = self._args, read_preset(self._args.preset)
        measured = self._throughput.get(name, {})
        if not measured:
            raise RefineryError("no rate was measured to plan it with")
        nearest = min(measured, key=lambda count: abs(int(count) - args.num_envs))
        spec = planned(
            preset,
            self._task,
            count=args.num_envs,
            times=args.times,
            steps_per_s=measured[nearest]["with_policy_steps_per_s"],
            left_s=self._left_s(),
        )
        if spec is None:
            raise RefineryError(f"{self._left_s():.0f} s left are too few for it")
        self._figures["refine"] = {"planned_iterations": spec.rounds * spec.iterations_per_round, "finished": False}
        self._write()
        simulator_args = TimedSimulator(backend=name, device=self._device(name))
        steps = preset.rounds * preset.iterations_per_round * preset.environments * preset.ppo.num_steps_per_env
        found = refine_long(self._task, spec, simulator_args, seed=args.seed, out=args.scratch, preset_steps=steps)
        self._figures["refine"] |= found | {"finished": True}

    def _device(self, backend: str) -> str:
        return "cpu" if backend == "mujoco" else self._args.device

    def _left_s(self) -> float:
        return self._deadline - time.monotonic()

    def _write(self) -> None:
        merge_results(self._args.out, self._figures)


def gpu_facts() -> dict[str, str]:
    """Name, driver and memory of the GPUs as NVIDIA's driver tells them; why not, where it does not."""
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    try:
        told = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return {"none": str(error)}
    return {f"cuda:{index}": line.strip() for index, line in enumerate(told.splitlines())}


def measure(args: Args) -> None:
    """Run, print and write."""
    # The learner's matrices are large here, and the simulator is on the GPU.
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    check_writable(args.out.parent)
    read_results(args.out)
    Measuring(args)()


def main() -> None:
    """Entry point."""
    run(Args, measure)


if __name__ == "__main__":
    main()
