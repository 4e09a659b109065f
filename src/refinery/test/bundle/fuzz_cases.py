"""One mutated bundle by its number: what was changed, how, and whether its hashes were made right again."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bundle.fuzz_bytes import mutate_bytes
from bundle.fuzz_corpus import Files
from bundle.fuzz_json import dump, grow_together, mutate_json, parse
from bundle.fuzz_onnx import mutate_onnx
from google.protobuf.message import DecodeError
from onnx.defs import SchemaError

from refinery.bundle import with_metadata
from refinery.bundle.files import ENVELOPE, HASHED, INITIAL_STATES, MANIFEST, OPTIONAL, PART, POLICY, sha256
from refinery.bundle.operators import OPERATORS
from refinery.config import from_mapping
from refinery.task import Task

USUAL = (*("Gemm", "Clip", "Sub", "Div", "Elu", "LSTM", "Slice", "Reshape", "Gather") * 3, *sorted(OPERATORS))
"""Operators to favour in new nodes: those that are accepted, and of them those of the policies that are shipped."""
_GIVE_UP = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
    DecodeError,
    SchemaError,
)
_TARGETS = (POLICY, INITIAL_STATES, MANIFEST, PART, ENVELOPE, "directory")
_OWN_HASH = re.compile(rb'"manifest_sha256": "[^"]*"')


@dataclass(frozen=True, kw_only=True)
class Case:
    """A mutated bundle."""

    files: Files
    """What is written to the directory; a directory where the contents are None."""
    history: list[str] = field(default_factory=list)
    """What was done."""


def make_case(seed: int, index: int, good: tuple[Files, ...]) -> Case:
    """Return the mutated bundle with this number, made from one of the good ones; the same one every time."""
    rng = Random(f"{seed}/{index}")
    files, history = dict(rng.choice(good)), []
    envelope = 20 if ENVELOPE in files else 0
    target = rng.choices(_TARGETS, (50, 24, 22, 20, envelope, 4))[0]
    if target == "directory":
        history.append(change_directory(files, dict(rng.choice(good)), rng))
        return Case(files=files, history=history)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 5))):
        name, content = _mutate(target, files[target], rng)
        files[target] = content
        history.append(f"{target}: {name}")
    if target == MANIFEST and rng.random() < 0.8:
        history.append(_seal_task(files))
    if rng.random() < 0.9:
        _seal(files)
        history.append("hashes made right")
    return Case(files=files, history=history)


def _mutate(target: str, content: bytes, rng: Random) -> tuple[str, bytes]:
    """Change one file; a mutation that cannot be applied to what is left of it is replaced by one of bytes."""
    kinds: dict[str, Any] = {
        "bytes": lambda: mutate_bytes(content, rng),
        "model": lambda: mutate_onnx(content, rng, USUAL),
        "json": lambda: dump(mutate_json(parse(content), rng)),
        "grow": lambda: dump(grow_together(parse(content), rng)),
    }
    weights = (15, 85, 0, 0) if target == POLICY else (20, 0, 75, 5)
    kind = rng.choices(list(kinds), weights)[0]
    try:
        return kind, kinds[kind]()
    # Damaged beyond what the mutation can read, or a number too long to be written.
    except _GIVE_UP:
        return f"bytes instead of {kind}", mutate_bytes(content, rng)


def change_directory(files: Any, other: Files, rng: Random) -> str:
    """Remove, swap, add or replace whole files, also by what the other bundle lacks; None makes a directory."""
    a, b = rng.sample(sorted(files), 2)
    kind = rng.choice(("missing", "swapped", "extra", "directory", "mixed", "mixed and sealed"))
    if kind == "missing":
        del files[a]
    elif kind == "swapped":
        files[a], files[b] = files[b], files[a]
    elif kind == "extra":
        files[rng.choice(("weights.pkl", "policy.onnx.data", ".x", "x" * 200, "\n", "é"))] = b"\x80\x04N."
    elif kind == "directory":
        files[a] = None
    elif a in other:
        files[a] = other[a]
    else:
        del files[a]
    if kind == "mixed and sealed":
        _seal(files)
    return f"directory: {kind}"


def _seal(files: Files) -> None:
    """Make the manifest's hashes right, as somebody who changes a bundle on purpose does."""
    text = files.get(MANIFEST) or b""
    for name in (*HASHED, *OPTIONAL):
        digest = sha256(files.get(name) or b"")
        text = re.sub(rb'"%s": "[^"]*"' % re.escape(name.encode()), f'"{name}": "{digest}"'.encode(), text)
    blank = _OWN_HASH.sub(b'"manifest_sha256": "%s"' % (b"0" * 64), text)
    files[MANIFEST] = _OWN_HASH.sub(b'"manifest_sha256": "%s"' % sha256(blank).encode(), text)


def _seal_task(files: Files) -> str:
    """If the manifest still holds a task, make the whole bundle one for that task."""
    try:
        raw = json.loads(files[MANIFEST])
        task = from_mapping(raw["task"], Task, source="fuzzing")
        raw["task_hash"] = task.hash()
        states = json.loads(files[INITIAL_STATES])
        box = task.initial_state.deployed
        states |= {"task": task.name, "task_hash": task.hash()}
        states["box"] = {"low": box.low.tolist(), "high": box.high.tolist()}
        part = json.loads(files[PART]) | {"task": task.name, "task_hash": task.hash()}
        policy = with_metadata(files[POLICY], task)
        files |= {
            POLICY: policy,
            INITIAL_STATES: json.dumps(states, allow_nan=False).encode(),
            PART: json.dumps(part, allow_nan=False).encode(),
            MANIFEST: json.dumps(raw, allow_nan=False).encode(),
        }
        return "bundle made one for this task"
    # The loader will find the same in it; here it only means that there is nothing to make right.
    except Exception as error:
        return f"task left as it is ({type(error).__name__})"
