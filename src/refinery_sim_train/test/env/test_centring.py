"""A seated plug feels where its hole is, and what is not in the hole is told from it."""

from __future__ import annotations

import dataclasses

import numpy as np

from refinery.centring import CentringProbe, HoleCentre
from refinery.initial_state import InitialStateSpec
from refinery.paths import config_file
from refinery.rotations import Poses
from refinery.task import Task, load_task
from refinery_sim_train.env.episodes import draw_episodes
from refinery_sim_train.env.make_env import make_env


def feel(task: Task, z_m: float, x_m: float = 0.0) -> tuple[HoleCentre, Poses, Poses]:
    """Start with plugs at a height over the seat and an offset, and probe; centre found, sockets, plugs at the end."""
    fixed = {name: (value, value) for name, value in (("x", x_m), ("y", 0.0), ("z", z_m))}
    box = dataclasses.replace(
        task.initial_state.deployed_in, **fixed, roll=(0.0, 0.0), pitch=(0.0, 0.0), yaw=(0.0, 0.0)
    )
    noise = dataclasses.replace(
        task.noise, estimate_bias_m=0.0, estimate_bias_yaw_rad=0.0, estimate_jitter_m=0.0, control_bias_m=0.0
    )
    spec = InitialStateSpec(trained_in=box, deployed_in=box)
    env = make_env(dataclasses.replace(task, initial_state=spec, noise=noise), 8, threads=1)
    rng = np.random.default_rng(0)
    theta = np.repeat(env.task.initial_state.deployed.low[None], 8, axis=0)
    env.reset(draw_episodes(env.task, theta, rng))
    env.get_observations()
    probe = CentringProbe(env.measured, env.filtered, stiffness_n_m=task.control.stiffness[0])
    steps = 0
    while (target := probe.target(env.plug)) is not None:
        env.drive(target)
        steps += 1
    assert steps == 10
    return probe.centre(env.plug), env.socket, env.plug


def test_the_middle_of_the_hole_is_found_wherever_the_plug_sat() -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    for x_m in (0.0, 0.4 * task.socket.clearance_m):
        found, socket, _ = feel(task, 0.0, x_m)
        assert found.inside(task.socket.clearance_m).all()
        assert np.abs(found.centre_m[:, :2] - socket.pos_m[:, :2]).max() < 0.25 * task.socket.clearance_m


def test_a_plug_over_the_rim_is_not_taken_for_one_in_the_hole() -> None:
    task = load_task(config_file("tasks", "peg_rect"))
    found, _, _ = feel(task, task.socket.depth_m + 0.005)
    assert not found.inside(task.socket.clearance_m).any()
