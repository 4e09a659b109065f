"""A policy file before anything runs: parsed, and refused unless it holds a plain network and nothing else."""

from __future__ import annotations

import math
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message

from refinery.bundle.files import MAX_BYTES, POLICY
from refinery.bundle.operators import OPERATORS
from refinery.bundle.wire import count_fields
from refinery.errors import BundleError

MAX_NODES = 1000
"""Most operators in a network."""
MAX_FIELDS = 100_000
"""Most fields (names, operators, attributes, sizes, ...) in a file; one exported here has a few hundred."""
MAX_NAMES = 64
"""Most inputs, outputs or attributes of one operator."""
MAX_VALUES = MAX_BYTES[POLICY] // 4
"""Most values of one weight."""
MAX_INTEGERS = 4096
"""Most values of one tensor or list of integers (indices, shapes): a network needs a handful, and long ones make
giants."""
MAX_NUMBER = 1 << 16
"""Largest magnitude of an integer attribute (an axis, a size, a count). ONNX's shape inference (1.23) cuts a
LayerNormalization's axis of 2^31 to 32 bits and reads beside its memory, and makes as many values as a Split asks
for."""
ACTIVATION_TYPES = (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE)
"""Types that may be computed with. Not integers: -2^63 divided by -1 ends the process (ONNX Runtime 1.32)."""
INTEGER_TYPES = (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
"""Types of indices and shapes."""
_STANDARD = ("", "ai.onnx")
_VERSIONS = range(7, onnx.defs.onnx_opset_version() + 1)
_LISTS = {
    onnx.AttributeProto.INTS: "ints",
    onnx.AttributeProto.FLOATS: "floats",
    onnx.AttributeProto.STRINGS: "strings",
}
_PLAIN = (onnx.AttributeProto.INT, onnx.AttributeProto.FLOAT, onnx.AttributeProto.STRING, *_LISTS)


def parse_model(content: bytes, source: object) -> onnx.ModelProto:
    """Parse an ONNX model.

    Args:
        content: Serialised model.
        source: Named in errors.

    Returns:
        The model, without fields that this version of ONNX does not know.

    Raises:
        BundleError: The bytes are too many or are not a model.
    """
    if len(content) > MAX_BYTES[POLICY]:
        raise BundleError(
            f"{source}: expected at most {MAX_BYTES[POLICY]} B, got {len(content)}; use a smaller network"
        )
    model = onnx.ModelProto()
    try:
        if count_fields(content, model.DESCRIPTOR, MAX_FIELDS) > MAX_FIELDS:
            raise BundleError(f"{source}: expected at most {MAX_FIELDS} fields, got more; use a smaller network")
        model.ParseFromString(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{source}: expected an ONNX model, got bytes that do not parse ({error})") from None
    if not model.HasField("graph"):
        raise BundleError(f"{source}: expected an ONNX model, got no graph in it")
    # ONNX Runtime gets the model written again from here: what is not looked at must not reach it.
    model.DiscardUnknownFields()
    return model


def check_plain(model: onnx.ModelProto, source: object) -> None:
    """Refuse a model that holds more than a plain network.

    Args:
        model: From :func:`parse_model`.
        source: Named in errors.

    Raises:
        BundleError: It refers to data outside its own file (a path of an attacker's choice), holds functions, training
            graphs, sparse weights or operators that a policy has no use for, or is not text where it should be.
    """
    for part, name in ((model, "functions"), (model, "training_info"), (model.graph, "sparse_initializer")):
        if getattr(part, name):
            raise BundleError(f"{source}: expected a plain network, got {name}; export the policy without")
    _check_text(model, source)
    imports = [(entry.domain in _STANDARD, entry.version in _VERSIONS) for entry in model.opset_import]
    if imports != [(True, True)]:
        raise BundleError(
            f"{source}: expected the operators of ai.onnx, version {_VERSIONS[0]} to {_VERSIONS[-1]}, "
            f"got {_short([(entry.domain, entry.version) for entry in model.opset_import])}; export it again"
        )
    if len(model.graph.node) > MAX_NODES:
        raise BundleError(f"{source}: expected at most {MAX_NODES} operators, got {len(model.graph.node)}")
    for tensor in model.graph.initializer:
        _check_tensor(tensor, source)
    for node in model.graph.node:
        _check_node(node, source)


def _check_text(model: onnx.ModelProto, source: object) -> None:
    """Refuse names that are not printable text: protobuf lets any bytes through, and names end up in logs."""
    pending: list[Message] = [model]
    while pending:
        for field, value in pending.pop().ListFields():
            values = value if field.is_repeated else (value,)
            if field.message_type is not None:
                pending += values
            elif field.type == field.TYPE_STRING and field.name not in ("doc_string", "value"):
                for text in values:
                    if not isinstance(text, str) or not text.isprintable() or len(text) > 1000:
                        raise BundleError(f"{source}: {field.name}: expected printable text, got {_short(text)}")


def _check_node(node: onnx.NodeProto, source: object) -> None:
    if node.domain not in _STANDARD or node.op_type not in OPERATORS:
        kind = f"{node.domain}.{node.op_type}" if node.domain else node.op_type
        raise BundleError(
            f"{source}: expected operators of a plain network, got {_short(kind)} (node {_short(node.name)}); "
            "export the policy without it, or add it to refinery.bundle.operators if it can neither loop nor grow"
        )
    if max(len(node.input), len(node.output), len(node.attribute)) > MAX_NAMES:
        raise BundleError(
            f"{source}: node {_short(node.name)}: expected at most {MAX_NAMES} inputs, outputs, attributes"
        )
    for attribute in node.attribute:
        where = f"{source}: node {_short(node.name)}: attribute {_short(attribute.name)}"
        if attribute.type == onnx.AttributeProto.TENSOR:
            _check_tensor(attribute.t, source)
        elif attribute.type not in _PLAIN or attribute.ref_attr_name:
            raise BundleError(f"{where}: expected numbers, text or a tensor, got something else; export it again")
        # What is not of the attribute's own type is never read, and so never checked.
        unread = [field.name for field, _ in attribute.ListFields() if field.name in ("g", "graphs", "tensors")]
        if unread or len(getattr(attribute, _LISTS.get(attribute.type, ""), ())) > MAX_INTEGERS:
            raise BundleError(f"{where}: expected at most {MAX_INTEGERS} values and no graph, got more")
        # A constant's number is data, like a tensor's.
        setting = attribute.type == onnx.AttributeProto.INT and node.op_type != "Constant"
        if setting and abs(attribute.i) > MAX_NUMBER:
            raise BundleError(f"{where}: expected at most {MAX_NUMBER}, got {attribute.i}; export it again")


def _check_tensor(tensor: onnx.TensorProto, source: object) -> None:
    where = f"{source}: tensor {_short(tensor.name)}"
    if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
        raise BundleError(
            f"{where}: expected all weights inside the file, got some stored outside it; export the policy as one file"
        )
    if tensor.data_type not in (*ACTIVATION_TYPES, *INTEGER_TYPES) or tensor.HasField("segment"):
        raise BundleError(f"{where}: expected float, double, int64 or int32 values, got others; export it again")
    most = MAX_INTEGERS if tensor.data_type in INTEGER_TYPES else MAX_VALUES
    if any(not 0 <= size <= most for size in tensor.dims) or math.prod(tensor.dims) > most:
        raise BundleError(f"{where}: expected at most {most} values, got the shape {_short(list(tensor.dims))}")


def _short(value: Any) -> str:
    text = ascii(value)
    return text if len(text) <= 80 else text[:77] + "..."
