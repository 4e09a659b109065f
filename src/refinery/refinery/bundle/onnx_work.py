"""What running a policy costs, worked out from its shapes before it runs: no file may take all memory or time.

ONNX Runtime evaluates constant parts of a graph while it loads it, so this comes before a session is made. Shapes are
inferred one operator after the other, each checked before the next: forty operators that each double what they read
would overflow any memory in the inference itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import onnx
from onnx import helper, shape_inference

from refinery.bundle.onnx_file import ACTIVATION_TYPES, INTEGER_TYPES
from refinery.errors import BundleError

MAX_WORK = 1 << 26
"""Most multiplications in one step. An LSTM with 1024 units and everything around it has a tenth of that; the largest
matrix that fits into a policy file a quarter."""
MAX_RANK = 6
"""Most axes of a tensor."""
_ELEMENT = 16
"""What touching one value costs, in multiplications of a matrix product (exponentials are dear)."""
_STATE = ("h", "c")

Shapes = dict[str, tuple[int, ...]]


def fix_free_axes(model: onnx.ModelProto) -> None:
    """Make free axes of the inputs 1, in place: the batch axis of ``obs``, all axes of the state.

    A policy runs for one arm at a time, and only with known shapes can its cost be known. What the file says of values
    in between is dropped; it can only be wrong.
    """
    del model.graph.value_info[:]
    for item in model.graph.input:
        axes = item.type.tensor_type.shape.dim
        for axis in axes if item.name in _STATE else axes[:1]:
            if not axis.HasField("dim_value"):
                axis.dim_value = 1


def check_work(model: onnx.ModelProto, source: object) -> None:
    """Refuse a model that takes too much to run.

    Args:
        model: Plain (:func:`refinery.bundle.onnx_file.check_plain`) and without free axes.
        source: Named in errors.

    Raises:
        BundleError: The shape of a value cannot be known beforehand, or one step is more than :data:`MAX_WORK`.
    """
    graph, version = model.graph, model.opset_import[0].version
    types = {item.name: item.type for item in graph.input}
    types |= {item.name: helper.make_tensor_type_proto(item.data_type, list(item.dims)) for item in graph.initializer}
    shapes: Shapes = {name: _shape(kind, f"{source}: {name}", fixed=True) for name, kind in types.items()}
    data = {item.name: item for item in graph.initializer if item.data_type in INTEGER_TYPES}
    work = 0
    for node in graph.node:
        where = f"{source}: {node.op_type} {node.name!r}"
        read = [name for name in node.input if name]
        unknown = [name for name in read if name not in types]
        if unknown:
            raise BundleError(f"{where}: expected inputs made before it, got {unknown[0]!r}; export it again")
        try:
            schema = onnx.defs.get_schema(node.op_type, version, "")
            made = shape_inference.infer_node_outputs(
                schema,
                node,
                {name: types[name] for name in read},
                {name: data[name] for name in read if name in data},
                opset_imports=list(model.opset_import),
                ir_version=model.ir_version,
            )
        # Bindings of C++ code, whose errors share no base class.
        except Exception as error:
            raise BundleError(f"{where}: expected fitting inputs, got {' '.join(str(error).split())[:200]}") from None
        for name in (name for name in node.output if name):
            if name in types:
                raise BundleError(f"{where}: expected outputs made only here, got {name!r} again; export it again")
            if name not in made:
                raise BundleError(f"{where}: expected an output of known shape, got {name!r}; export with fixed shapes")
            types[name] = made[name]
            shapes[name] = _shape(made[name], where, fixed=node.op_type == "Constant")
        for attribute in node.attribute if node.op_type == "Constant" else ():
            if attribute.t.data_type in INTEGER_TYPES:
                data[node.output[0]] = attribute.t
        work += _work(node, [shapes[name] for name in read], [shapes[name] for name in node.output if name])
        if work > MAX_WORK:
            raise BundleError(
                f"{where}: expected at most {MAX_WORK} multiplications a step, got more; use a smaller network"
            )


def _shape(kind: onnx.TypeProto, where: str, *, fixed: bool) -> tuple[int, ...]:
    """Return the shape of a value; integers only where they are fixed: computed ones could be shapes, or divisors."""
    tensor, accepted = kind.tensor_type, (*ACTIVATION_TYPES, *(INTEGER_TYPES if fixed else ()))
    if not kind.HasField("tensor_type") or tensor.elem_type not in accepted:
        raise BundleError(f"{where}: expected a tensor of floats, got another type; export it again")
    axes = tensor.shape.dim
    known = tensor.HasField("shape") and all(axis.HasField("dim_value") and axis.dim_value >= 0 for axis in axes)
    if not known or len(axes) > MAX_RANK:
        raise BundleError(
            f"{where}: expected known sizes of at most {MAX_RANK} axes, got others; export with fixed ones"
        )
    return tuple(axis.dim_value for axis in axes)


def _work(node: onnx.NodeProto, read: Sequence[tuple[int, ...]], made: Sequence[tuple[int, ...]]) -> int:
    """Estimate the multiplications of one operator."""
    sizes = [math.prod(shape) for shape in read]
    size_made = sum(math.prod(shape) for shape in made)
    if node.op_type in ("LSTM", "GRU", "RNN"):
        # Every step of every row of the batch goes through all weights.
        return math.prod(read[0][:2]) * sum(sizes[1:]) + _ELEMENT * size_made
    if node.op_type in ("Gemm", "MatMul"):
        turned = node.op_type == "Gemm" and any(item.name == "transA" and item.i for item in node.attribute)
        return size_made * (read[0][0 if turned else -1] + _ELEMENT)
    return _ELEMENT * (size_made + max(sizes, default=0))
