"""What a policy file says about itself: observation, action, and the rates and gains it was trained with."""

from __future__ import annotations

import json
from typing import Any

import onnx
from google.protobuf.message import DecodeError

from refinery.action import ACTION_NAMES
from refinery.bundle.files import SCHEMA
from refinery.config import to_mapping
from refinery.errors import BundleError
from refinery.observation import TERMS
from refinery.task import Task

KEY = "refinery"
"""Key of the one metadata property."""
SEMANTICS = "leaky target integration, estimated socket frame"
"""What the action does (:mod:`refinery.action`)."""


def policy_metadata(task: Task) -> dict[str, Any]:
    """Return the metadata of a policy trained for ``task`` with this version's observation and action code."""
    control = task.control
    metadata = {
        "schema": SCHEMA,
        "observation": to_mapping(TERMS),
        "action": {
            "names": ACTION_NAMES,
            "semantics": SEMANTICS,
            "scale": control.action_scale,
            "smoothing": control.action_smoothing,
            "max_error": control.max_error,
        },
        "rate_hz": control.policy_rate_hz,
        "stiffness": control.stiffness,
        "damping_ratio": control.damping_ratio,
        "limits": task.limits,
        "task": task.name,
        "task_hash": task.hash(),
    }
    plain: dict[str, Any] = to_mapping(metadata)
    return plain


def with_metadata(onnx_bytes: bytes, task: Task) -> bytes:
    """Add the metadata of ``task`` to a policy.

    Args:
        onnx_bytes: Serialised ONNX model.
        task: The task it was trained for.

    Returns:
        The model with the metadata property ``refinery``; an earlier one is replaced.

    Raises:
        BundleError: The bytes are not an ONNX model.
    """
    model = parse_model(onnx_bytes, "the policy to export")
    kept = [prop for prop in model.metadata_props if prop.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key = KEY
    entry.value = json.dumps(policy_metadata(task), allow_nan=False)
    result: bytes = model.SerializeToString()
    return result


def parse_model(onnx_bytes: bytes, source: object) -> onnx.ModelProto:
    """Parse an ONNX model.

    Raises:
        BundleError: The bytes are not one.
    """
    model = onnx.ModelProto()
    try:
        model.ParseFromString(onnx_bytes)
    except (DecodeError, ValueError, RecursionError) as error:
        raise BundleError(f"{source}: expected an ONNX model, got bytes that do not parse ({error})") from None
    if not model.HasField("graph"):
        raise BundleError(f"{source}: expected an ONNX model, got no graph in it")
    return model


def check_self_contained(model: onnx.ModelProto, source: object) -> None:
    """Refuse a model that refers to data outside its own file (a path of an attacker's choice).

    Raises:
        BundleError: A tensor is stored elsewhere.
    """
    pending: list[Any] = [model.graph, *model.functions]
    while pending:
        part = pending.pop()
        tensors = list(getattr(part, "initializer", ()))
        for sparse in getattr(part, "sparse_initializer", ()):
            tensors += [sparse.values, sparse.indices]
        for node in part.node:
            for attribute in node.attribute:
                tensors += [attribute.t, *attribute.tensors]
                for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                    tensors += [sparse.values, sparse.indices]
                pending += [graph for graph in (attribute.g, *attribute.graphs) if graph.node or graph.initializer]
        for tensor in tensors:
            if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
                raise BundleError(
                    f"{source}: expected all weights inside the file, got tensor {tensor.name!r} stored outside it; "
                    "export the policy as one file"
                )
