"""What a policy file says about itself: observation, action, and the rates and gains it was trained with."""

from __future__ import annotations

import json
from typing import Any

import onnx

from refinery.action import ACTION_NAMES
from refinery.bundle import strict_json
from refinery.bundle.files import SCHEMA
from refinery.bundle.onnx_file import parse_model
from refinery.config import to_mapping
from refinery.errors import BundleError
from refinery.observation import TERMS
from refinery.task import Task

KEY = "refinery"
"""Key of the one metadata property."""
SEMANTICS = "leaky target integration, estimated socket frame"
"""What the action does (:mod:`refinery.action`)."""
FRAMES = "frames"
"""Optional key: ``{"base": ..., "tool": ...}``, tf names of the frames of a policy that is tied to one robot. What is
trained here is not: it works in the estimated socket's frame, and any robot profile's frames will do."""
MAX_METADATA = 1 << 20
"""Longest accepted metadata, [characters]."""


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


def read_metadata(model: onnx.ModelProto, source: object) -> dict[str, Any]:
    """Return the parsed metadata property of a policy; empty if there is none.

    Raises:
        BundleError: It is there twice, too long, or not strict JSON.
    """
    entries = [entry.value for entry in model.metadata_props if entry.key == KEY]
    if not entries:
        return {}
    where = f"{source}: metadata {KEY!r}"
    if len(entries) > 1 or len(entries[0]) > MAX_METADATA:
        raise BundleError(f"{where}: expected it once and up to {MAX_METADATA} characters, got more; export it again")
    return strict_json.parse(entries[0], where)


def check_metadata(metadata: dict[str, Any], task: Task, source: object) -> None:
    """Check that a policy was trained for a task with this version's observation and action code.

    Args:
        metadata: From :func:`read_metadata`; keys of others than Refinery are left alone.
        task: The task.
        source: Named in errors.

    Raises:
        BundleError: Naming the key, what was expected, what was found.
    """
    if not metadata:
        raise BundleError(f"{source}: expected the metadata property {KEY!r}, got none; add it with with_metadata()")
    where = f"{source}: metadata"
    for key, value in policy_metadata(task).items():
        strict_json.want_equal(metadata, key, value, where, "it was trained for something else; export again")
    if FRAMES in metadata:
        frames = strict_json.want(metadata, FRAMES, dict, where)
        for key in frames:
            if key not in ("base", "tool") or not strict_json.want(frames, key, str, f"{where}: {FRAMES}"):
                raise BundleError(
                    f"{where}: {FRAMES}: expected names for base and tool, got {key[:80]!r}; export again"
                )
