"""Models that would take the memory, the time or the process of whoever runs them are refused before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from bundle.fuzz_corpus import lstm_policy, mlp_policy
from onnx import TensorProto, helper, numpy_helper

from refinery.bundle import OnnxPolicy, onnx_work
from refinery.bundle.onnx_file import MAX_FIELDS, MAX_NODES
from refinery.bundle.operators import OPERATORS
from refinery.errors import BundleError
from refinery.testing.bundles import servo_policy

Nodes = Sequence[onnx.NodeProto]
node = helper.make_node


def model_with(nodes: Nodes, **weights: np.ndarray) -> onnx.ModelProto:
    """The servo policy, its action made by ``nodes`` from the value ``before``."""
    model = onnx.ModelProto.FromString(servo_policy())
    for other in model.graph.node:
        other.output[:] = ["before" if name == "action" else name for name in other.output]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in weights.items())
    return model


def total(name: str) -> Nodes:
    """Nodes that bring a value of any shape down to the action."""
    return [node("ReduceSum", [name], ["total"], keepdims=0), node("Add", ["before", "total"], ["action"])]


def body() -> onnx.GraphProto:
    go = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    return helper.make_graph([node("Identity", ["go"], ["more"])], "body", [go], [go])


def doubled(kind: str, count: int, first: str = "before", **attributes: int) -> Nodes:
    names = [first, *(f"d{i}" for i in range(count))]
    return [*(node(kind, [a, a], [b], **attributes) for a, b in pairwise(names)), *total(names[-1])]


INTEGER = np.array([30_000, 30_000])
ODD: dict[str, tuple[Nodes, dict[str, np.ndarray], str]] = {
    "loop": ([node("Loop", ["n", "go", "before"], ["action"], body=body())], {"n": INTEGER}, "got 'Loop'"),
    "branch": ([node("If", ["go"], ["action"], then_branch=body(), else_branch=body())], {}, "got 'If'"),
    "filled": ([node("ConstantOfShape", ["n"], ["x"]), *total("x")], {"n": INTEGER}, "got 'ConstantOfShape'"),
    "repeated": ([node("Tile", ["before", "n"], ["x"]), *total("x")], {"n": INTEGER}, "got 'Tile'"),
    "random": ([node("RandomNormal", [], ["x"], shape=[6]), *total("x")], {}, "got 'RandomNormal'"),
    "other domain": (
        [node("EPContext", ["before"], ["action"], domain="com.microsoft")],
        {},
        "com.microsoft.EPContext",
    ),
    "graph as attribute": ([node("Identity", ["before"], ["action"], hidden=body())], {}, "expected numbers, text"),
    "doubling": (doubled("Concat", 27, axis=1), {}, "multiplications a step"),
    "doubling the axes": (doubled("Gather", 30, "w"), {}, "Gather"),
    "outer product": (
        [node("MatMul", ["tall", "broad"], ["x"]), *total("x")],
        {"tall": np.zeros((20_000, 1), np.float32), "broad": np.zeros((1, 20_000), np.float32)},
        "multiplications a step",
    ),
    "broadcast": (
        [node("Add", ["tall", "broad"], ["x"]), *total("x")],
        {"tall": np.zeros((20_000, 1), np.float32), "broad": np.zeros((1, 20_000), np.float32)},
        "multiplications a step",
    ),
    "many axes": (
        [node("Unsqueeze", ["before", "n"], ["x"]), *total("x")],
        {"n": np.arange(4000)},
        "at most 6 axes",
    ),
    "long list": (
        [node("Unsqueeze", ["before", "n"], ["x"]), *total("x")],
        {"n": np.arange(5000)},
        "at most 4096 values",
    ),
    # ONNX's own check of it lets the axis through, and the process ends.
    "axis beyond 32 bits": (
        [node("LayerNormalization", ["before", "obs"], ["action"], axis=2**31)],
        {},
        "attribute 'axis': expected at most 65536, got 2147483648",
    ),
    # Of version 18; the inference would make every one.
    "billions of outputs": (
        [node("Split", ["before"], ["action"], num_outputs=2**31 - 1)],
        {},
        "attribute 'num_outputs': expected at most 65536, got 2147483647",
    ),
    # The smallest integer divided by -1 ends the process.
    "division of integers": (
        [
            node("Cast", ["before"], ["whole"], to=TensorProto.INT64),
            node("Div", ["least", "whole"], ["quotient"]),
            node("Cast", ["quotient"], ["action"], to=TensorProto.FLOAT),
        ],
        {"least": np.array([-(2**63)])},
        "tensor of floats",
    ),
    "shape from data": (
        [node("Reshape", ["before", "whole"], ["action"]), node("Cast", ["before"], ["whole"], to=TensorProto.INT64)],
        {},
        "topologically|made before it",
    ),
    "too many": ([node("Neg", ["before"], [f"n{i}"]) for i in range(MAX_NODES)], {}, "at most 1000 operators"),
    "text": ([node("Identity", ["t"], ["x"])], {"t": np.array(["a"], dtype=object)}, "expected float"),
    "line break": ([node("Neg", ["before"], ["action"], name="a\nERROR all is well")], {}, "printable text"),
}


@pytest.mark.parametrize("what", ODD)
def test_what_no_policy_needs_is_refused(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes, weights, match = ODD[what]
    monkeypatch.setattr(ort, "InferenceSession", lambda *_, **__: pytest.fail("it must not get that far"))
    with pytest.raises(BundleError, match=match):
        OnnxPolicy(model_with(nodes, **weights).SerializeToString())


def _function(model: onnx.ModelProto) -> None:
    imports = [helper.make_opsetid("", 17)]
    model.functions.append(helper.make_function("local", "F", ["a"], ["b"], [node("Neg", ["a"], ["b"])], imports))


def _sparse(model: onnx.ModelProto) -> None:
    value = numpy_helper.from_array(np.ones(1, np.float32), "sparse")
    index = numpy_helper.from_array(np.array([5]), "index")
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(value, index, [30_000, 30_000]))


CHANGES: dict[str, tuple[Callable[[onnx.ModelProto], object], str]] = {
    "function": (_function, "got functions"),
    "training": (lambda model: model.training_info.add(), "got training_info"),
    "sparse": (_sparse, "got sparse_initializer"),
    "two versions": (lambda model: model.opset_import.add(domain="", version=18), "operators of ai.onnx"),
    "future": (lambda model: setattr(model.opset_import[0], "version", 2**40), "operators of ai.onnx"),
    "giant weight": (lambda model: model.graph.initializer[0].dims.__setitem__(0, 2**40), "at most"),
    "negative weight": (lambda model: model.graph.initializer[0].dims.__setitem__(0, -1), "at most"),
    "weight of texts": (lambda model: setattr(model.graph.initializer[0], "data_type", TensorProto.STRING), "float"),
    "two metadata": (lambda model: [model.metadata_props.add(key="refinery", value="{}") for _ in "ab"], "once"),
    "free width": (lambda model: model.graph.input[0].type.tensor_type.shape.dim[1].Clear(), "known sizes"),
    "no inputs' shape": (lambda model: model.graph.input[0].type.tensor_type.ClearField("shape"), "shape"),
    "zero byte": (lambda model: setattr(model.graph, "name", "a\x00b"), "printable text"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_model_that_is_more_than_a_network_is_refused(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    change, match = CHANGES[what]
    model = onnx.ModelProto.FromString(servo_policy())
    change(model)
    monkeypatch.setattr(ort, "InferenceSession", lambda *_, **__: pytest.fail("it must not get that far"))
    with pytest.raises(BundleError, match=match):
        OnnxPolicy(model.SerializeToString())


def test_names_that_are_not_text_are_refused() -> None:
    content = servo_policy().replace(b"policy", b"pol\xffcy")
    with pytest.raises(BundleError, match="printable text"):
        OnnxPolicy(content)


@pytest.mark.parametrize("field", ["producer_name", "producer_version", "domain", "doc_string"])
def test_a_model_disguised_as_another_format_is_still_read_as_onnx(field: str) -> None:
    """ONNX Runtime takes bytes with ORTM at the fifth place for its own format, past every check of the model."""
    model = onnx.ModelProto.FromString(servo_policy())
    model.ClearField("producer_name")
    setattr(model, field, "ORTM" + "x" * 60)
    content = model.SerializeToString()
    assert content[4:8] == b"ORTM"
    assert OnnxPolicy(content).action_size == 6


def test_many_tiny_parts_are_refused_before_they_are_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two bytes of file each would be a hundred of memory."""
    empty_nodes = b"\x0a\x00" * (MAX_FIELDS + 1)
    size = len(empty_nodes)
    graph = b"\x3a" + bytes([size & 0x7F | 0x80, size >> 7 & 0x7F | 0x80, size >> 14]) + empty_nodes
    assert len(onnx.ModelProto.FromString(graph).graph.node) == MAX_FIELDS + 1
    with pytest.raises(BundleError, match=f"at most {MAX_FIELDS} fields"):
        OnnxPolicy(servo_policy() + graph)


def test_a_policy_that_is_too_slow_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes it slow may be in the weights, which no shape tells."""
    monkeypatch.setattr("refinery.bundle.policy.MAX_WARM_UP_S", 0.0)
    with pytest.raises(BundleError, match="runs within 0 s, got fewer"):
        OnnxPolicy(servo_policy())


@pytest.mark.parametrize("content", [servo_policy(), mlp_policy(), lstm_policy(), mlp_policy(4096)])
def test_plain_networks_are_not_refused(content: bytes) -> None:
    assert OnnxPolicy(content).action_size == 6


def test_the_largest_lstm_of_a_policy_file_is_within_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    real = onnx_work._work
    monkeypatch.setattr(onnx_work, "_work", lambda *args: seen.append(real(*args)) or seen[-1])
    OnnxPolicy(lstm_policy(1024))
    assert 4 * 1024 * (1024 + 28) <= sum(seen) < onnx_work.MAX_WORK / 8


def test_every_accepted_operator_exists() -> None:
    assert {schema.name for schema in onnx.defs.get_all_schemas() if schema.domain == ""} >= OPERATORS
