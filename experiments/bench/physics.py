"""``bench``: what the environment costs beyond physics, as a ratio measured side by side in one run."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

from experiments.results_file import merge_results, read_results
from refinery.rotations import Array
from refinery.storage import check_writable
from refinery_sim_train.backends.mujoco_physics import MujocoPhysics
from refinery_sim_train.backends.physics import SUBSTEPS
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.provenance import provenance
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Measure environment steps against bare mj_step of the same model, states, controls and threads."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    environments: int = 256
    """Environments stepped at once."""
    repeats: int = 5
    """Pairs of measurements; the median ratio is reported."""
    policy_steps: int = 30
    """Policy steps per measurement."""
    out: Path = Path("results/bench.json")
    """Results file; other keys in it are kept."""


def bench(args: Args) -> None:
    """Measure, print and write the ratio."""
    check_writable(args.out.parent)
    # A damaged file is found before the work, not after it.
    read_results(args.out)
    task = read_task(args.task)
    threads = len(os.sched_getaffinity(0))
    env = make_env(task, args.environments, threads)
    agent = load_weights(shipped_base(task), task, args)
    ratios, rates = [], []
    with stage(f"environment steps against mj_step, {threads} threads") as update:
        for repeat in range(args.repeats):
            ours_s, controls, start = _environment(env, agent, args.policy_steps, seed=repeat)
            bare_s = _bare(env, controls, start, threads)
            ratios.append(bare_s / ours_s)
            rates.append(args.environments * args.policy_steps / ours_s)
            update((repeat + 1) / args.repeats, f"ratio {np.median(ratios):.2f}")
    ratio = float(np.median(ratios))
    console.print(f"environment steps / bare mj_step: {ratio:.2f}  ({np.median(rates):.0f} environment steps a second)")
    facts = provenance(seed=0, env_steps=0)
    figures: dict[str, Any] = {
        "envsteps_over_mjstep": round(ratio, 3),
        "envsteps_per_s": round(float(np.median(rates))),
    }
    figures |= {"commit": facts["git_revision"], "date": facts["date"], "seed": 0, "machine": facts["machine"]}
    figures["command"] = "make bench"
    merge_results(args.out, figures)


def _environment(env: InsertionEnv, agent: Agent, steps: int, seed: int) -> tuple[float, list[Array], dict[str, Array]]:
    """Seconds of whole environment steps under the base policy (its inference not counted), controls and start."""
    rng = np.random.default_rng(seed)
    env.reset(draw_episodes(env.task, env.task.initial_state.deployed.uniform(env.count, rng), rng))
    start = env.snapshot()
    seconds, controls = 0.0, []
    for _ in range(steps):
        began = time.perf_counter()
        observation, _ = env.get_observations()
        seconds += time.perf_counter() - began
        action = agent.act(observation)
        began = time.perf_counter()
        env.step(action)
        seconds += time.perf_counter() - began
        controls.append(env.snapshot()["physics/ctrl"])
    return seconds, controls, start


def _bare(env: InsertionEnv, controls: list[Array], start: dict[str, Array], threads: int) -> float:
    """Seconds of mj_step alone through the same states under the same controls."""
    assert isinstance(env.physics, MujocoPhysics)
    model, sims = env.physics.model, []
    for index in range(env.count):
        data = mujoco.MjData(model)
        for name in ("qpos", "qvel", "mocap_pos", "mocap_quat"):
            getattr(data, name)[:] = start[f"physics/{name}"][index]
        sims.append(data)

    def work(share: list[int], control: Array) -> None:
        for index in share:
            sims[index].ctrl[:] = control[index]
            mujoco.mj_step(model, sims[index], nstep=SUBSTEPS)

    shares = [list(range(first, env.count, threads)) for first in range(threads)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda share: None, shares))
        began = time.perf_counter()
        for control in controls:
            list(pool.map(work, shares, [control] * threads))
        return time.perf_counter() - began


def main() -> None:
    """Entry point."""
    run(Args, bench)


if __name__ == "__main__":
    main()
