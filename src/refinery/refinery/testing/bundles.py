"""Small stand-ins for tests of every package: tiny policies and a complete bundle around them, made in milliseconds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import TensorProto, helper, numpy_helper

from refinery.bundle import ObservationStatistics, with_metadata, write_bundle
from refinery.initial_state import InitialStateSpec
from refinery.mixture import Mixture
from refinery.observation import OBSERVATION_SIZE
from refinery.part import PartGeometry
from refinery.success_model import SuccessModel
from refinery.task import Task
from refinery.testing.parts import plain_part
from refinery.trained_with import TrainedWith

Weights = Mapping[str, NDArray[Any] | np.generic]


def linear_policy(weight: ArrayLike, bias: ArrayLike) -> bytes:
    """Return an ONNX policy ``action = clip(obs @ weight + bias, -1, 1)``.

    Args:
        weight: Shape (N, M).
        bias: Shape (M,).
    """
    w, b = np.asarray(weight, dtype=np.float32), np.asarray(bias, dtype=np.float32)
    nodes = [
        helper.make_node("Gemm", ["obs", "w", "b"], ["raw"]),
        helper.make_node("Clip", ["raw", "low", "high"], ["action"]),
    ]
    weights: Weights = {"w": w, "b": b, "low": np.float32(-1), "high": np.float32(1)}
    return _model(nodes, weights, {"obs": (1, w.shape[0])}, {"action": (1, w.shape[1])})


def servo_policy(gain: float = 1.0) -> bytes:
    """Return a policy that moves the plug straight to the seat: it wins where nothing is in the way.

    Args:
        gain: Share of full action per 10 mm (0.1 rad) of error.
    """
    weight = np.zeros((OBSERVATION_SIZE, 6))
    for axis in range(3):
        weight[axis, axis] = -gain
        weight[6 + axis, 3 + axis] = -gain
    return linear_policy(weight, np.zeros(6))


def constant_policy(action: ArrayLike, observation_size: int = OBSERVATION_SIZE) -> bytes:
    """Return a policy that always gives the same action, shape (6,)."""
    value = np.asarray(action, dtype=np.float64)
    return linear_policy(np.zeros((observation_size, len(value))), value)


def recurrent_policy(observation_size: int = OBSERVATION_SIZE, width: int = 6) -> bytes:
    """Return a policy with a state: ``h`` counts calls by 0.1, ``c`` keeps ``h``, the action is the new ``h``."""
    nodes = [
        helper.make_node("Add", ["h", "step"], ["h_out"]),
        helper.make_node("Identity", ["h"], ["c_out"]),
        helper.make_node("Gemm", ["obs", "zero", "none"], ["nothing"]),
        helper.make_node("Squeeze", ["h_out", "axis"], ["flat"]),
        helper.make_node("Identity", ["c"], ["unused"]),
        helper.make_node("Add", ["flat", "nothing"], ["action"]),
    ]
    weights: Weights = {
        "step": np.float32(0.1),
        "zero": np.zeros((observation_size, width), np.float32),
        "none": np.zeros(width, np.float32),
        "axis": np.array([0], dtype=np.int64),
    }
    state = (1, 1, width)
    inputs = {"obs": (1, observation_size), "h": state, "c": state}
    return _model(nodes, weights, inputs, {"action": (1, width), "h_out": state, "c_out": state})


def tiny_envelope(seed: int = 0, whitening: ArrayLike | None = None) -> ObservationStatistics:
    """Return an envelope around observations drawn with some mean and spread: bounds at 8 deviations.

    Args:
        seed: Of mean, spread and, if none is given, whitening.
        whitening: Upper triangle, shape (N, N); a random one close to unity if None.
    """
    n, rng = OBSERVATION_SIZE, np.random.default_rng(seed)
    mean, std = rng.normal(size=n), rng.uniform(0.2, 2.0, n)
    drawn = np.triu(rng.normal(size=(n, n)) * 0.2) + np.eye(n)
    return ObservationStatistics(
        low=mean - 8 * std,
        high=mean + 8 * std,
        mean=mean,
        std=std,
        whitening=drawn if whitening is None else np.asarray(whitening, dtype=np.float64),
        max_distance=12.0,
        ticks=3,
        evidence={"false_stops": {"k": 0, "n": 200}},
    )


def tiny_bundle(
    path: Path,
    task: Task,
    policy_onnx: bytes | None = None,
    *,
    name: str = "tiny",
    part: PartGeometry | None = None,
    envelope: ObservationStatistics | None = None,
    trained_with: TrainedWith | None = None,
) -> Path:
    """Write a complete bundle: a broad mixture, a flat success model and the given policy (or :func:`servo_policy`).

    Args:
        path: Directory to create.
        task: The task.
        policy_onnx: Policy without metadata.
        name: Name of the bundle.
        part: Shape of the held part; a rectangle's or square's needs none (:func:`refinery.testing.parts.plain_part`).
        envelope: Of the observations; none if None.
        trained_with: Of the weights, accepted whatever it is; the task's if None.

    Returns:
        The path.
    """
    box = task.initial_state.deployed
    dim = len(box.free)
    network = policy_onnx if policy_onnx is not None else servo_policy()
    mixture = Mixture(
        weights=np.array([0.6, 0.4]),
        means=np.stack([np.full(dim, 0.4), np.full(dim, 0.6)]),
        covariances=np.stack([np.eye(dim) * 0.02] * 2),
        box=box,
    )
    model = SuccessModel(
        inputs=np.stack([np.full(dim, value) for value in (0.1, 0.5, 0.9)]),
        rates=np.array([0.5, 0.9, 0.6]),
        noise_variance=np.full(3, 0.01),
        prior_mean=0.7,
        amplitude=0.3,
        length_scales=np.full(dim, 0.3),
        box=box,
    )
    return write_bundle(
        path,
        name=name,
        policy_onnx=with_metadata(network, task, trained_with, accept_other_gains=True),
        task=task,
        part=plain_part(task) if part is None else part,
        mixture=mixture,
        success_model=model,
        successes=(70, 100),
        selection={"criterion": "none, this is a stand-in"},
        provenance={"command": "refinery.testing.tiny_bundle"},
        evaluation={"none": {"k": 0, "n": 0}},
        envelope=envelope,
    )


def with_grasps(task: Task) -> Task:
    """Return the task with grasps that vary by 2 mm along x, 4 mm along z and 0.2 rad, trained and deployed."""
    ranges = {"grasp_x": (-0.002, 0.002), "grasp_z": (-0.004, 0.004), "grasp_pitch": (-0.2, 0.2)}
    spec = task.initial_state
    boxes = {name: dataclasses.replace(getattr(spec, name), **ranges) for name in ("trained_in", "deployed_in")}
    return dataclasses.replace(task, initial_state=InitialStateSpec(**boxes))


def _model(
    nodes: list[onnx.NodeProto],
    weights: Weights,
    inputs: dict[str, tuple[int, ...]],
    outputs: dict[str, tuple[int, ...]],
) -> bytes:
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    content: bytes = model.SerializeToString()
    return content
