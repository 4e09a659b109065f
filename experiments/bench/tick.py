"""The policy tick, from samples to target message, against a bare inference of the same network and against torch."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

from experiments.bench.interleaved import Durations, Prepare, Step, interleave
from experiments.bench.networks import LSTM_UNITS, onnx_policy, random_network
from experiments.bench.still_cell import StillCell
from experiments.bench.torch_step import torch_installed, torch_step
from refinery.bundle import ObservationStatistics, OnnxPolicy, load_bundle
from refinery.errors import RefineryError
from refinery.observation import OBSERVATION_SIZE
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery.tick.guard import GuardSettings, Level
from refinery.tick.runtime import PolicyRuntime
from refinery_policy_node.messages import TargetMessage
from refinery_sim.part import part_geometry

BUDGET_US = 300.0
"""What libfranka leaves a user of its 1 ms, [us]."""

_ANYTHING = ObservationStatistics(
    low=np.full(OBSERVATION_SIZE, -1e6),
    high=np.full(OBSERVATION_SIZE, 1e6),
    mean=np.zeros(OBSERVATION_SIZE),
    std=np.ones(OBSERVATION_SIZE),
    whitening=np.eye(OBSERVATION_SIZE),
    max_distance=1e6,
    ticks=100,
)


def runtime_for(task: Task, content: bytes) -> PolicyRuntime:
    """Return the runtime of a throw-away bundle around a policy; slow ticks are recorded here, not acted upon.

    It checks observations against statistics, as the shipped bundles do, which are so wide that none is outside.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = tiny_bundle(Path(folder) / "bundle", task, content, name="bench", part=part_geometry(task))
        bundle = dataclasses.replace(load_bundle(path), envelope=_ANYTHING)
    return PolicyRuntime(bundle, GuardSettings.for_task(task, deadline_s=60.0))


def tick_step(task: Task, content: bytes) -> Prepare:
    """Return whole ticks: samples in, filled target message out. The samples are made off the clock.

    Raises:
        RefineryError: The guard interfered, so that a tick was not a whole one.
    """
    runtime, cell, message = runtime_for(task, content), StillCell(task), TargetMessage("base")
    _begin(runtime, cell)

    def prepare() -> Step:
        if runtime.guard.decision.level is not Level.OK:
            raise RefineryError(f"bench: expected undisturbed ticks, got: {runtime.guard.decision.message}")
        inputs = cell.inputs()

        def step() -> None:
            message.filled(runtime.tick(inputs).target, 0)

        return step

    return prepare


def bare_step(content: bytes) -> Prepare:
    """Return bare ``InferenceSession.run`` calls of a policy, on one thread, with arrays that exist already."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    feed = {item.name: np.zeros(item.shape, np.float32) for item in session.get_inputs()}
    names = [item.name for item in session.get_outputs()]

    def prepare() -> Step:
        return lambda: session.run(names, feed)

    return prepare


def own_step(content: bytes) -> Prepare:
    """Return the inference of a tick: :meth:`OnnxPolicy.infer`, with arrays bound to the network."""
    policy = OnnxPolicy(content)

    def prepare() -> Step:
        return policy.infer

    return prepare


def empty_step() -> Prepare:
    """Return runs of nothing: what the clocks cost."""

    def nothing() -> None:
        pass

    return lambda: nothing


def against_bare_inference(task: Task, *, lstm: bool, rounds: int, pause_s: float) -> dict[str, Durations]:
    """Time ticks (``tick``), bare inferences of the same network (``bare``), a tick's own (``own``) and nothing."""
    content = onnx_policy(random_network(lstm_units=LSTM_UNITS if lstm else 0))
    candidates = {
        "empty": empty_step(),
        "bare": bare_step(content),
        "own": own_step(content),
        "tick": tick_step(task, content),
    }
    return interleave(candidates, rounds=rounds, pause_s=pause_s)


def against_torch(task: Task, *, rounds: int) -> dict[str, Durations] | None:
    """Time ticks (``tick``) and eager torch steps (``torch``) of the same LSTM policy; None without torch."""
    if not torch_installed():
        return None
    network = random_network(lstm_units=LSTM_UNITS)
    return interleave({"torch": torch_step(network), "tick": tick_step(task, onnx_policy(network))}, rounds=rounds)


def _begin(runtime: PolicyRuntime, cell: StillCell) -> None:
    decision = runtime.start(cell.inputs())
    if decision.level is not Level.OK:
        raise RefineryError(f"bench: expected an accepted start, got: {decision.message}")
