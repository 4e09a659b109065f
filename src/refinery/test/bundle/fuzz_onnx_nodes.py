"""Random operators with random inputs and attributes, put into a network so that they are mostly reached."""

from __future__ import annotations

from random import Random
from typing import Any

import numpy as np
import onnx
from bundle.fuzz_onnx_tricks import body
from onnx import helper, numpy_helper

SCHEMAS = {schema.name: schema for schema in onnx.defs.get_all_schemas() if schema.domain == ""}
"""Every operator there is."""
_INTEGERS = (-3, -1, 0, 1, 2, 3, 6, 7, 8, 16, 24, 2**31, 2**62)
_SMALL = (0, 0, 1, 1, 1, 2, -1, -2, 3)
_TEXTS = ("Tanh", "Sigmoid", "Relu", "Affine", "forward", "reverse", "bidirectional", "tanh", "none", "x", "")
_SHAPES = ((), (), (0,), (1,), (6,), (28,), (1, 6), (1, 28), (1, 1, 6), (6, 6), (2, 3), (1, 0, 6), (1, 1, 1, 1, 1, 1))


def insert_node(model: onnx.ModelProto, rng: Random, usual: tuple[str, ...]) -> None:
    """Add an operator, mostly one of ``usual``: on the way from one operator to the next, or beside the others."""
    nodes = model.graph.node
    kind = rng.choice(usual) if rng.random() < 0.85 else rng.choice(sorted(SCHEMAS))
    at = rng.randint(0, len(nodes))
    readers = [i for i, node in enumerate(nodes) if any(node.input)]
    if not readers or rng.random() < 0.2:
        nodes.insert(at, _random_node(model, kind, at, None, rng))
        return
    at = rng.choice(readers)
    slot = rng.choice([i for i, name in enumerate(nodes[at].input) if name])
    node = _random_node(model, kind, at, nodes[at].input[slot], rng)
    if node.output:
        nodes[at].input[slot] = node.output[0]
    nodes.insert(at, node)


def _random_node(model: onnx.ModelProto, kind: str, at: int, first: str | None, rng: Random) -> onnx.NodeProto:
    """Make an operator that reads ``first`` and what there is before position ``at``."""
    schema, graph = SCHEMAS[kind], model.graph
    count_in = rng.randint(schema.min_input, min(schema.max_input, schema.min_input + rng.choice((0, 1, 5))))
    count_out = rng.randint(max(schema.min_output, 1), min(schema.max_output, schema.min_output + rng.choice((0, 2))))
    before = [name for node in graph.node[:at] for name in node.output if name]
    known = [item.name for item in (*graph.input, *graph.initializer)] + before
    inputs = [
        rng.choice(known) if known and rng.random() < 0.3 else _new_constant(model, rng) if rng.random() < 0.9 else ""
        for _ in range(count_in)
    ]
    if first is not None and inputs:
        inputs[0] = first
    made = [f"made_{rng.randrange(10**9)}" for _ in range(count_out)]
    node = helper.make_node(kind, inputs, made)
    for name, attribute in schema.attributes.items():
        if attribute.required or rng.random() < 0.3:
            _set_attribute(node, name, attribute, rng)
    return node


def change_attribute(model: onnx.ModelProto, rng: Random) -> None:
    """Give an operator another value for an attribute that it may have."""
    nodes = [node for node in model.graph.node if node.op_type in SCHEMAS and SCHEMAS[node.op_type].attributes]
    if nodes:
        node = rng.choice(nodes)
        name, attribute = rng.choice(sorted(SCHEMAS[node.op_type].attributes.items()))
        kept = [item for item in node.attribute if item.name != name]
        del node.attribute[:]
        node.attribute.extend(kept)
        _set_attribute(node, name, attribute, rng)


def _set_attribute(node: onnx.NodeProto, name: str, attribute: Any, rng: Random) -> None:
    integers = _SMALL if rng.random() < 0.8 else _INTEGERS
    count = rng.choice((0, 1, 1, 2, 2, 3, 4, 6, 1000))
    made: Any = {
        "INT": rng.choice(integers),
        "FLOAT": rng.choice((0.0, 1.0, -1.0, 0.5, 1e-45, 1e38, float("nan"))),
        "STRING": rng.choice(_TEXTS),
        "INTS": [rng.choice(integers) for _ in range(count)] or [0],
        "FLOATS": [rng.choice((0.0, 1.0, -2.0)) for _ in range(count)] or [0.0],
        "STRINGS": [rng.choice(_TEXTS) for _ in range(count)] or [""],
        "TENSOR": numpy_helper.from_array(_array(rng)),
        "GRAPH": body(rng),
    }.get(str(attribute.type).rpartition(".")[2])
    if made is not None:
        node.attribute.append(helper.make_attribute(name, made))


def _array(rng: Random) -> np.ndarray:
    shape = rng.choice(_SHAPES)
    if rng.random() < 0.45:
        values = [rng.choice(_SMALL if rng.random() < 0.9 else _INTEGERS) for _ in range(int(np.prod(shape)))]
        return np.array(values, dtype=np.int64).reshape(shape)
    kind = rng.choice((np.float32,) * 9 + (np.float64, np.int32, np.bool_, np.float16, np.uint8))
    return np.full(shape, rng.choice((0, 1, -1, 0.5, 1e30))).astype(kind)


def _new_constant(model: onnx.ModelProto, rng: Random) -> str:
    name = f"constant_{rng.randrange(10**9)}"
    model.graph.initializer.append(numpy_helper.from_array(_array(rng), name))
    return name
