"""Mutations of ONNX models by somebody who knows ONNX; see also the modules with its tricks and its new operators."""

from __future__ import annotations

from random import Random

import numpy as np
import onnx
from bundle.fuzz_bytes import mutate_bytes
from bundle.fuzz_json import dump, mutate_json, parse
from bundle.fuzz_onnx_nodes import SCHEMAS, change_attribute, insert_node
from bundle.fuzz_onnx_tricks import TRICKS
from bundle.fuzz_protobuf import mutate_message
from onnx import TensorProto, helper


def mutate_onnx(content: bytes, rng: Random, usual: tuple[str, ...]) -> bytes:
    """Return the model after one mutation; ``usual`` are operators to favour. Raises whatever protobuf raises."""
    model = onnx.ModelProto.FromString(content)
    kind = rng.random()
    if kind < 0.25:
        mutate_message(model, rng)
    elif kind < 0.55:
        insert_node(model, rng, usual)
    elif kind < 0.7:
        change_attribute(model, rng)
    elif kind < 0.74:
        return _add_field(model.SerializeToString(), rng)
    elif kind < 0.78:
        _mutate_metadata(model, rng)
    else:
        rng.choice(_SPECIAL)(model, rng)
    return model.SerializeToString()


def _rename(model: onnx.ModelProto, rng: Random) -> None:
    ends = [*model.graph.input, *model.graph.output]
    item, name = rng.choice(ends), rng.choice(("observation", "h", "c", "obs", "action", "", "\x00", "a\nb"))
    old, item.name = item.name, name
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = [name if other == old else other for other in names]


def _reshape_ends(model: onnx.ModelProto, rng: Random) -> None:
    ends = [*model.graph.input, *model.graph.output]
    if ends:
        item, sizes = rng.choice(ends), (0, 1, 2, 6, 28, -1, 2**20, 2**31, 2**62, None, "n", "batch")
        item.type.CopyFrom(
            helper.make_tensor_type_proto(
                rng.choice((TensorProto.FLOAT, TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.STRING)),
                [rng.choice(sizes) for _ in range(rng.choice((0, 1, 2, 2, 3, 3, 50)))],
            )
        )


def _odd_weights(model: onnx.ModelProto, rng: Random) -> None:
    if model.graph.initializer:
        tensor = rng.choice(model.graph.initializer)
        size = len(tensor.raw_data) // 4
        value = rng.choice((np.nan, np.inf, 1e-40, 3e38, -0.0))
        tensor.raw_data = np.full(size, value, np.float32).tobytes()


def _retype(model: onnx.ModelProto, rng: Random) -> None:
    if model.graph.node:
        node = rng.choice(model.graph.node)
        node.op_type = rng.choice((rng.choice(sorted(SCHEMAS)), "Gemm", "Nothing", ""))


def _rewire(model: onnx.ModelProto, rng: Random) -> None:
    if model.graph.node:
        node = rng.choice(model.graph.node)
        names = rng.choice((node.input, node.output))
        if names:
            made = [name for other in model.graph.node for name in other.output]
            known = [item.name for item in (*model.graph.input, *model.graph.initializer)]
            names[rng.randrange(len(names))] = rng.choice([*known, *made, ""])


def _mutate_metadata(model: onnx.ModelProto, rng: Random) -> None:
    entry = rng.choice(model.metadata_props) if model.metadata_props else model.metadata_props.add(key="refinery")
    content = entry.value.encode("utf-8", "replace")
    changed = mutate_bytes(content, rng) if rng.random() < 0.4 else dump(mutate_json(parse(content), rng))
    if rng.random() < 0.2:
        entry = model.metadata_props.add(key=entry.key)
    entry.value = changed.decode("utf-8", "replace")


def _add_field(content: bytes, rng: Random) -> bytes:
    """Add a field that the format does not have, or a great many tiny ones, at the beginning or the end."""
    if rng.random() < 0.2:
        nothing = rng.choice((b"\x0a\x00", b"\x2a\x00", b"\x6a\x00")) * rng.choice((10, 10_000, 3_000_000))
        field = _varint(7 << 3 | 2) + _varint(len(nothing)) + nothing
    else:
        kinds = {0: b"\x01", 2: b"\x04ORTM", 1: b"\x00" * 8, 5: b"\x00" * 4, 3: b""}
        wire = rng.choice(sorted(kinds))
        field = _varint(rng.choice((9, 21, 500, 2**29 - 1)) << 3 | wire) + kinds[wire]
    return field + content if rng.random() < 0.5 else content + field


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


_SPECIAL = (*TRICKS, _rename, _reshape_ends, _reshape_ends, _odd_weights, _retype, _rewire, _rewire)
