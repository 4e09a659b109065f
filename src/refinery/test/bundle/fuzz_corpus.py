"""Good bundles to start mutations from: every kind of network and of section that the loader has to read."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from refinery.bundle import ObservationStatistics
from refinery.observation import OBSERVATION_SIZE
from refinery.part import PartGeometry
from refinery.paths import config_file
from refinery.piece import box, cylinder, hull
from refinery.section import SectionSpec
from refinery.task import Task, load_task
from refinery.testing.bundles import recurrent_policy, servo_policy, tiny_bundle, tiny_envelope, with_grasps
from refinery.testing.parts import plain_part

Files = dict[str, bytes]
"""Contents by file name."""

_PLATE = (((-0.006, -0.006), (0.006, -0.006), (0.006, 0.006), (-0.006, 0.006)),)
_HOLE = (((-0.002, -0.002), (-0.002, 0.002), (0.002, 0.002), (0.002, -0.002)),)


@cache
def corpus() -> tuple[Files, ...]:
    """Return the contents of the good bundles, always the same ones in the same order."""
    with tempfile.TemporaryDirectory(prefix="refinery-fuzz-") as folder:
        paths = [
            tiny_bundle(Path(folder) / str(i), task, policy, envelope=envelope, part=part)
            for i, (task, policy, envelope, part) in enumerate(_kinds())
        ]
        return tuple({file.name: file.read_bytes() for file in sorted(path.iterdir())} for path in paths)


def _kinds() -> Iterator[tuple[Task, bytes, ObservationStatistics | None, PartGeometry]]:
    peg, post = (load_task(config_file("tasks", name)) for name in ("peg_rect", "t_post"))
    free = SectionSpec(family="polygon", rings_m=_PLATE + _HOLE)
    yield with_grasps(peg), servo_policy(), tiny_envelope(), plain_part(peg)
    yield peg, recurrent_policy(), None, plain_part(peg)
    yield post, mlp_policy(), None, part_of_all_kinds(post)
    free_peg = dataclasses.replace(peg, plug=dataclasses.replace(peg.plug, section=free))
    yield free_peg, lstm_policy(), tiny_envelope(1), part_of_all_kinds(free_peg)


def part_of_all_kinds(task: Task) -> PartGeometry:
    """Return a box with a cylinder in it and a wedge on its side: every kind of solid, not the shape of the task."""
    length = task.plug.length_m
    corners = np.array([[-0.006, -0.006], [0.006, -0.006], [0.006, 0.006], [-0.006, 0.006]])
    upright = box(np.array([0.0, 0.0, length / 2]), np.array([0.004, 0.006, length / 2]), np.eye(3))
    column = cylinder(np.array([0.0, 0.0, length / 2]), np.array([0.006, length / 2]))
    triangle = np.array([[0.004, -0.006], [0.006, 0.0], [0.004, 0.006]])
    wedge = np.vstack([np.c_[triangle, np.full(3, z)] for z in (0.0, length)])
    return PartGeometry(symmetry=1, corners_m=corners, pieces=(upright, column, hull(wedge, 12e-6 * length)))


def mlp_policy(width: int = 8) -> bytes:
    """Return a network of the operators that an exported MLP has, its normaliser included."""
    nodes = [
        helper.make_node("Sub", ["obs", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["normal"]),
        helper.make_node("Gemm", ["normal", "w0", "b0"], ["wide"], alpha=1.0, beta=1.0, transA=0, transB=1),
        helper.make_node("Elu", ["wide"], ["bent"], alpha=1.0),
        *_head("bent"),
    ]
    return _model(nodes, _weights(mean=(1, OBSERVATION_SIZE), w0=(width, OBSERVATION_SIZE), b0=(width,), head=width), 0)


def lstm_policy(width: int = 6) -> bytes:
    """Return a network of the operators that an exported LSTM has."""
    nodes = [
        helper.make_node("Sub", ["obs", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["normal"]),
        helper.make_node("Unsqueeze", ["normal", "axis"], ["sequence"]),
        helper.make_node("Slice", ["h", "axis", "end", "axis"], ["h_in"]),
        helper.make_node(
            "LSTM", ["sequence", "w", "r", "b", "", "h_in", "c"], ["y", "h_out", "c_out"], hidden_size=width
        ),
        helper.make_node("Transpose", ["y"], ["turned"], perm=[0, 2, 1, 3]),
        helper.make_node("Reshape", ["turned", "shape"], ["flat"]),
        helper.make_node("Gather", ["flat", "first"], ["latent"], axis=0),
        *_head("latent"),
    ]
    gates = 4 * width
    weights = _weights(
        mean=(1, OBSERVATION_SIZE),
        w=(1, gates, OBSERVATION_SIZE),
        r=(1, gates, width),
        b=(1, 2 * gates),
        head=width,
    )
    weights |= {
        "axis": np.array([0]),
        "end": np.array([1]),
        "shape": np.array([1, 1, width]),
        "first": np.array(0),
    }
    return _model(nodes, weights, width)


def _head(source: str) -> list[onnx.NodeProto]:
    return [
        helper.make_node("Gemm", [source, "w1", "b1"], ["raw"], transB=1),
        helper.make_node("Clip", ["raw", "low", "high"], ["action"]),
    ]


def _weights(*, head: int, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    shapes |= {"w1": (6, head), "b1": (6,)}
    weights = {name: rng.normal(size=shape).astype(np.float32) * 0.1 for name, shape in shapes.items()}
    std = np.ones((1, OBSERVATION_SIZE), np.float32)
    return weights | {"std": std, "low": np.array(-1, np.float32), "high": np.array(1, np.float32)}


def _model(nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray], state: int) -> bytes:
    shapes_in: dict[str, list[int | str]] = {"obs": ["batch", OBSERVATION_SIZE]}
    shapes_out: dict[str, list[int | str]] = {"action": [1, 6]}
    if state:
        shapes_in |= {"h": [1, "batch", state], "c": [1, 1, state]}
        shapes_out |= {"h_out": [1, 1, state], "c_out": [1, 1, state]}
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes_in.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes_out.items()],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="corpus")
    model.ir_version = 10
    return model.SerializeToString()
