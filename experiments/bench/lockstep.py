"""The whole loop at 1 kHz: physics of the twin's plant, tick, target, in lockstep and in one process, without ROS."""

from __future__ import annotations

import dataclasses
import importlib.util
import time
from functools import partial

import numpy as np

from experiments.bench.interleaved import Durations, Stopwatch, no_garbage_collection
from experiments.bench.networks import LSTM_UNITS, onnx_policy, random_network
from experiments.bench.tick import BUDGET_US, runtime_for
from refinery.errors import RefineryError
from refinery.initial_state import tool_pose
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.samples import sample
from refinery.tick.guard import Level
from refinery.tick.samples import Inputs, RobotMode, RobotSample, WrenchSample
from refinery.tick.tick_result import TickResult
from refinery_policy_node.messages import TargetMessage

RATE_HZ = 1000.0
"""Policy evaluations per simulated second, [Hz]."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lockstep:
    """How the loop went."""

    simulated_s: float
    """Simulated time, [s]."""
    wall_s: float
    """Time it took, [s]."""
    ticks: Durations
    """Each tick, from samples to target message."""

    @property
    def share_within_budget(self) -> float:
        """Share of ticks within :data:`experiments.bench.tick.BUDGET_US` by the wall clock."""
        return float(np.mean(self.ticks.seconds * 1e6 <= BUDGET_US))

    @property
    def cpu_share_within_budget(self) -> float:
        """The same by the thread's processor time."""
        return float(np.mean(self.ticks.cpu_seconds * 1e6 <= BUDGET_US))


def twin_installed() -> bool:
    """Whether the workspace has the twin, whose physics is used."""
    return importlib.util.find_spec("refinery_twin") is not None


def at_rate(task: Task, rate_hz: float) -> Task:
    """Return the task with another policy rate and actions that move the target as fast as before."""
    control = task.control
    share, (x, y, z, roll, pitch, yaw) = control.policy_rate_hz / rate_hz, control.action_scale
    scale = (x * share, y * share, z * share, roll * share, pitch * share, yaw * share)
    return dataclasses.replace(task, control=dataclasses.replace(control, policy_rate_hz=rate_hz, action_scale=scale))


def run(task: Task, *, simulated_s: float) -> Lockstep:
    """Run insertions with an LSTM policy that servoes the plug home, evaluated at 1000 Hz, one after the other.

    Args:
        task: The task, at any rate.
        simulated_s: For how long, [s].

    Raises:
        RefineryError: The start cannot be reached, or the guard stopped the arm.
    """
    from refinery_sim.plant import TIMESTEP_S, Mode, Plant
    from refinery_twin.estimates import SocketEstimator

    fast, profile = at_rate(task, RATE_HZ), load_robot_profile("twin")
    runtime = runtime_for(fast, onnx_policy(random_network(lstm_units=LSTM_UNITS), servo_gain=1.0))
    socket = Poses.from_xyz_rpy(fast.socket.nominal_xyz_m, [0.0, 0.0, 0.0])
    box = fast.initial_state.deployed
    start = tool_pose(socket, (box.low + box.high)[None] / 2, fast.plug.tool_from_plug)
    joints, reached = profile.arm_kinematics().inverse(start, profile.home_rad)
    if not reached[0]:
        raise RefineryError(f"bench: task {fast.name}: expected a start the arm can reach")
    plant, message = Plant(fast, joints[0]), TargetMessage(profile.base_frame)
    estimator = SocketEstimator(unjittered=socket, jitter_m=fast.noise.estimate_jitter_m, seed=0)

    def inputs() -> Inputs:
        now = plant.time_s
        return Inputs(
            measured=sample(plant.tool, now),
            estimate=sample(estimator.at(step=0, attempt=1, tick=plant.steps), now),
            wrench=WrenchSample(wrench=tuple(plant.external_wrench.tolist()), stamp_s=now),
            robot=RobotSample(mode=RobotMode.MOVE, errors=(), stamp_s=now),
            now_s=now,
        )

    def tick(samples: Inputs) -> TickResult:
        result = runtime.tick(samples)
        message.filled(result.target, 0)
        return result

    steps, running, watch = round(simulated_s / TIMESTEP_S), False, Stopwatch()
    with no_garbage_collection():
        began = time.perf_counter()
        for _ in range(steps):
            if not running:
                plant.reset(socket=socket)
                plant.set_mode(Mode.IMPEDANCE)
                decision = runtime.start(inputs())
                if decision.level is not Level.OK:
                    raise RefineryError(f"bench: expected an accepted start, got: {decision.message}")
            plant.step()
            result = watch.time(partial(tick, inputs()))
            if result.decision.level is Level.STOP:
                raise RefineryError(f"bench: the guard stopped the arm: {result.decision.message}")
            plant.set_target(result.target.batch())
            running = not result.done
        wall_s = time.perf_counter() - began
    return Lockstep(simulated_s=simulated_s, wall_s=wall_s, ticks=watch.durations())
