"""What a policy file says about itself: observation, action, and the rates and gains it was trained with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import onnx

from refinery.action import ACTION_NAMES, SEMANTICS
from refinery.bundle import strict_json
from refinery.bundle.files import SCHEMA
from refinery.bundle.onnx_file import parse_model
from refinery.config import all_mistakes, to_mapping
from refinery.errors import BundleError, ConfigError
from refinery.observation import TERMS
from refinery.task import Task
from refinery.trained_with import TrainedWith

KEY = "refinery"
"""Key of the one metadata property."""
FRAMES = "frames"
"""Optional key: ``{"base": ..., "tool": ...}``, tf names of the frames of a policy that is tied to one robot. What is
trained here is not: it works in the estimated socket's frame, and any robot profile's frames will do."""
TRAINED_WITH = "trained_with"
"""Key: what the weights were trained with (:class:`refinery.trained_with.TrainedWith`); the task may ask for else."""
ACCEPTED = "other_gains_accepted"
"""Key: whether somebody accepted that the task's control settings are not those the weights were trained with."""
_SHOWN = 8
"""Mismatches that an error lists."""
MAX_METADATA = 1 << 20
"""Longest accepted metadata, [characters]."""


def policy_metadata(
    task: Task, trained_with: TrainedWith | None = None, *, accept_other_gains: bool = False
) -> dict[str, Any]:
    """Return the metadata of a policy for ``task`` with this version's observation and action code.

    Args:
        task: The task it is to solve.
        trained_with: What its weights were trained with; None: that very task.
        accept_other_gains: The task may ask for other control settings than those; recorded if it does.

    Raises:
        BundleError: The task asks for others, and that was not accepted.
    """
    record = trained_with or TrainedWith.of(task)
    others = record.differences(task.control)
    if others and not accept_other_gains:
        raise BundleError(f"the policy for task {task.name}: {'; '.join(others)}; refine it, or accept other gains")
    plain: dict[str, Any] = to_mapping({**_of_task(task), TRAINED_WITH: record, ACCEPTED: bool(others)})
    return plain


def _of_task(task: Task) -> dict[str, Any]:
    """The part that follows from task and version, ready for JSON."""
    control = task.control
    metadata = {
        "schema": SCHEMA,
        "observation": TERMS,
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


def with_metadata(
    onnx_bytes: bytes, task: Task, trained_with: TrainedWith | None = None, *, accept_other_gains: bool = False
) -> bytes:
    """Add the metadata of ``task`` to a policy.

    Args:
        onnx_bytes: Serialised ONNX model.
        task: The task it is to solve.
        trained_with: What its weights were trained with; None: that very task.
        accept_other_gains: The task may ask for other control settings than those; recorded if it does.

    Returns:
        The model with the metadata property ``refinery``; an earlier one is replaced.

    Raises:
        BundleError: The bytes are not an ONNX model, or the task asks for other settings, and that was not accepted.
    """
    model = parse_model(onnx_bytes, "the policy to export")
    kept = [prop for prop in model.metadata_props if prop.key != KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    entry = model.metadata_props.add()
    entry.key = KEY
    metadata = policy_metadata(task, trained_with, accept_other_gains=accept_other_gains)
    entry.value = json.dumps(metadata, allow_nan=False)
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


def check_metadata(metadata: dict[str, Any], task: Task, source: object) -> TrainedWith:
    """Check that a policy is for a task, with this version's observation and action code.

    Args:
        metadata: From :func:`read_metadata`; keys of others than Refinery are left alone.
        task: The task.
        source: Named in errors.

    Returns:
        What its weights were trained with: the task's control settings, or others that somebody accepted.

    Raises:
        BundleError: Naming the key, what was expected, what was found.
    """
    if not metadata:
        raise BundleError(f"{source}: expected the metadata property {KEY!r}, got none; add it with with_metadata()")
    where = f"{source}: metadata"
    problems = [words for key, value in _of_task(task).items() for words in _mismatches(metadata, key, value)]
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise BundleError(
            f"{where}: {'; '.join(problems[:_SHOWN])}{more}; it is for another task or another contract between policy "
            "and robot, which docs/fits.md states"
        )
    if FRAMES in metadata:
        frames = strict_json.want(metadata, FRAMES, dict, where)
        for key in frames:
            if key not in ("base", "tool") or not strict_json.want(frames, key, str, f"{where}: {FRAMES}"):
                raise BundleError(
                    f"{where}: {FRAMES}: expected names for base and tool, got {key[:80]!r}; export again"
                )
    return _trained_with(metadata, task, where)


def _mismatches(metadata: dict[str, Any], key: str, expected: Any) -> Iterator[str]:
    """Say how an entry differs from what is expected, an observation term by term."""
    got = metadata.get(key, "nothing (the key is missing)")
    if type(got) is type(expected) and got == expected:
        return
    if key != "observation" or not isinstance(got, list):
        yield f"{key}: expected {strict_json.short(expected)}, got {strict_json.short(got)}"
        return
    for index, (term, known) in enumerate(zip_longest(got, expected)):
        if term != known:
            yield f"observation[{index}]: expected {_term(known)}, got {_term(term)}"


def _term(term: Any) -> str:
    """One line of an observation term, whatever it is."""
    try:
        return strict_json.short(f"{term['name']}, {term['size']} x {term['unit']} ({term['frame']})")
    except (KeyError, TypeError):
        return "none" if term is None else strict_json.short(term)


def _trained_with(metadata: dict[str, Any], task: Task, where: str) -> TrainedWith:
    if TRAINED_WITH not in metadata:
        raise BundleError(
            f"{where}: {TRAINED_WITH}: expected the control settings that the weights were trained with, got nothing; "
            "the bundle is from before they were recorded: export its weights again with --trained-with <their task>"
        )
    raw = strict_json.want(metadata, TRAINED_WITH, dict, where)
    try:
        record, mistakes = all_mistakes(raw, TrainedWith, source=where, prefix=TRAINED_WITH)
    except strict_json.MALFORMED as error:
        record, mistakes = None, [ConfigError(where, TRAINED_WITH, "a record", str(error))]
    if mistakes or record is None:
        text = strict_json.one_line("; ".join(map(str, mistakes)), len(where) + 400)
        raise BundleError(f"{text}; the weights are not for this version (docs/fits.md): train them anew")
    accepted, others = strict_json.want(metadata, ACCEPTED, bool, where), record.differences(task.control)
    if others and not accepted:
        raise BundleError(f"{where}: {'; '.join(others)}; export it again with --accept-other-gains, or refine it")
    return record
