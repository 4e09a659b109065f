"""ONNX models made to hurt: files to read, loops, giant tensors, growth by doubling, another format in disguise."""

from __future__ import annotations

from itertools import pairwise
from random import Random

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HEAVY = ("ConstantOfShape", "Expand", "Tile", "RandomNormal", "RandomUniform", "EyeLike")
"""Operators that make much of little."""


def body(rng: Random) -> onnx.GraphProto:
    """Return a body that a Loop may have, or one that it may not."""
    kinds = (("i", TensorProto.INT64, []), ("go", TensorProto.BOOL, []), ("x", TensorProto.FLOAT, [1, 6]))
    inputs = [helper.make_tensor_value_info(*kind) for kind in kinds]
    nodes = [helper.make_node("Identity", ["go"], ["go_out"]), helper.make_node("Identity", ["x"], ["x_out"])]
    outputs = [helper.make_tensor_value_info(f"{name}_out", *rest) for name, *rest in kinds[1:]]
    return helper.make_graph(nodes, "body", inputs[: rng.choice((3, 3, 2, 0))], outputs)


def _before_action(model: onnx.ModelProto, nodes: list[onnx.NodeProto], last: str) -> None:
    """Add nodes that read ``action_0``, the action so far, and let the sum of it and ``last`` be the action."""
    for node in model.graph.node:
        node.output[:] = ["action_0" if name == "action" else name for name in node.output]
    total = helper.make_node("ReduceSum", [last], ["total"], keepdims=0)
    model.graph.node.extend([*nodes, total, helper.make_node("Add", ["action_0", "total"], ["action"])])


def _integers(model: onnx.ModelProto, name: str, *values: int) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(values, dtype=np.int64), name))
    return name


def _giant(model: onnx.ModelProto, rng: Random) -> None:
    side = rng.choice((1000, 30_000, 2**31, 2**62))
    shape = _integers(model, "giant_shape", side, side)
    kind = rng.choice(HEAVY)
    attributes = {"shape": [side, side]} if kind.startswith("Random") else {}
    inputs = {"ConstantOfShape": [shape], "Expand": ["action_0", shape], "Tile": ["action_0", shape]}.get(kind, [])
    _before_action(model, [helper.make_node(kind, inputs, ["giant"], **attributes)], "giant")


def _doubling(model: onnx.ModelProto, rng: Random) -> None:
    """Every node makes twice as much, or a tensor of twice the rank, of what the last one made."""
    kind, count = rng.choice(("Concat", "Gather", "MatMul", "Mul")), rng.choice((10, 27, 60))
    _integers(model, "axes", *(1 if kind == "Gather" else 0 for _ in range(1)))
    names = ["action_0" if kind != "Gather" else _integers(model, "indices", 0)] + [f"d{i}" for i in range(count)]
    nodes = [
        helper.make_node(kind, [a, a], [b], **({"axis": 1} if kind == "Concat" else {})) for a, b in pairwise(names)
    ]
    _before_action(model, nodes, names[-1])


def _broadcast(model: onnx.ModelProto, rng: Random) -> None:
    size = rng.choice((100, 3000, 60_000))
    for name, shape in (("tall", (size, 1)), ("broad", (1, size))):
        model.graph.initializer.append(numpy_helper.from_array(np.zeros(shape, np.float32), name))
    kind = rng.choice(("Add", "MatMul", "Mul", "Gemm"))
    nodes = [helper.make_node(kind, ["tall", "broad"], ["s0"])]
    nodes += [helper.make_node("Exp", [f"s{i}"], [f"s{i + 1}"]) for i in range(rng.choice((0, 30)))]
    _before_action(model, nodes, f"s{len(nodes) - 1}")


def _loop(model: onnx.ModelProto, rng: Random) -> None:
    kind = rng.choice(("Loop", "Loop", "If", "Scan"))
    trips = _integers(model, "trips", rng.choice((10, 3_000_000, 2**62)))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "go_on"))
    bodies = {"If": {"then_branch": body(rng), "else_branch": body(rng)}, "Scan": {"num_scan_inputs": 1}}
    attributes = bodies.get(kind, {}) if kind == "If" else {"body": body(rng), **bodies.get(kind, {})}
    inputs = ["go_on"] if kind == "If" else [trips, "go_on", "action_0"]
    _before_action(model, [helper.make_node(kind, inputs, ["looped"], **attributes)], "looped")


def _external(model: onnx.ModelProto, rng: Random) -> None:
    if model.graph.initializer:
        tensor = rng.choice(model.graph.initializer)
        tensor.data_location = rng.choice((TensorProto.EXTERNAL, TensorProto.DEFAULT))
        for key, value in (
            ("location", rng.choice(("/etc/passwd", "policy.onnx", "*/x", "/dev/zero"))),
            ("length", "64"),
        ):
            tensor.external_data.add(key=key, value=value)


def _sparse(model: onnx.ModelProto, rng: Random) -> None:
    value = numpy_helper.from_array(np.ones(1, np.float32), rng.choice(("sparse", "obs", "action")))
    index = numpy_helper.from_array(np.array([rng.choice((0, 5, 2**40, -1))]), "index")
    sides = rng.choice(([2, 3], [30_000, 30_000], [2**40]))
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(value, index, sides))
    if value.name == "sparse":
        _before_action(model, [helper.make_node("Identity", ["sparse"], ["dense"])], "dense")


def _function(model: onnx.ModelProto, rng: Random) -> None:
    inner = rng.choice(("Identity", "F"))
    node = helper.make_node(inner, ["a"], ["b"], domain="" if inner == "Identity" else "local")
    imports = [helper.make_opsetid("", 18), helper.make_opsetid("local", 1)]
    model.functions.append(helper.make_function("local", "F", ["a"], ["b"], [node], imports))
    model.opset_import.append(imports[1])
    _before_action(model, [helper.make_node("F", ["action_0"], ["called"], domain="local")], "called")


def _custom(model: onnx.ModelProto, rng: Random) -> None:
    domain = rng.choice(("com.microsoft", "ai.onnx.ml", "com.ms.internal.nhwc", "evil", "ai.onnx.preview.training"))
    kind = rng.choice(("EPContext", "FusedGemm", "Attention", "TreeEnsembleClassifier", "BiasGelu", "Inverse", "Adam"))
    model.opset_import.append(helper.make_opsetid(domain, 1))
    node = helper.make_node(kind, ["action_0"], ["custom"], domain=domain, ep_cache_context="/etc/passwd", embed_mode=0)
    _before_action(model, [node], "custom")


def _integer_division(model: onnx.ModelProto, rng: Random) -> None:
    kind = rng.choice((np.int64, np.int32, np.int8))
    arrays = {"top": np.array([np.iinfo(kind).min], kind), "bottom": np.array([rng.choice((0, -1))], kind)}
    for name, array in arrays.items():
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    whole = helper.make_node(rng.choice(("Div", "Mod", "Pow")), ["top", "bottom"], ["whole"])
    _before_action(model, [whole, helper.make_node("Cast", ["whole"], ["real"], to=TensorProto.FLOAT)], "real")


def _disguise(model: onnx.ModelProto, rng: Random) -> None:
    """Make the file look like ONNX Runtime's own format, which it would read without any of our checks."""
    model.producer_name = "ORTM" + "x" * rng.choice((0, 60))
    model.ir_version = rng.choice((8, 9, 10))


TRICKS = (
    *(_giant, _doubling, _broadcast, _loop, _external),
    *(_sparse, _function, _custom, _integer_division, _disguise),
)
"""Each changes a model in place."""
