"""The shape of the held part in a bundle, ``part.json``: written by the export, so that no node computes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from refinery.bundle import strict_json
from refinery.bundle.files import MAX_BYTES, PART, SCHEMA, read_file
from refinery.errors import BundleError, ConfigError
from refinery.part import MAX_CORNERS, MAX_PIECES, TOLERANCE_M, PartGeometry
from refinery.piece import Piece, box, cylinder, hull
from refinery.rotations import Array
from refinery.task import MAX_LENGTH_M, Task

_KEYS = ("schema", "task", "task_hash", "symmetry", "corners_m", "pieces")
_KINDS = {
    "box": ("kind", "centre_m", "half_size_m", "axes"),
    "cylinder": ("kind", "centre_m", "half_size_m"),
    "hull": ("kind", "corners_m", "volume_m3"),
}
"""Keys of the solids of each kind."""
_UNIT_TOLERANCE = 1e-9
_VOLUME_TOLERANCE = 0.01
"""Largest difference between the volume of a hull and that of its corners, as a share."""


def part_to_json(part: PartGeometry, task: Task) -> dict[str, Any]:
    """Return the file's contents for ``task``."""
    return {
        "schema": SCHEMA,
        "task": task.name,
        "task_hash": task.hash(),
        "symmetry": part.symmetry,
        "corners_m": part.corners_m.tolist(),
        "pieces": [{key: getattr(piece, key) for key in _KINDS[piece.kind]} for piece in part.pieces],
    }


def load_bundled_part(bundle: Path, task: Task) -> PartGeometry:
    """Return the shape of the part of a bundle; the nodes that run the bundle check the rest of it.

    Args:
        bundle: The bundle's directory.
        task: The bundle's task.

    Raises:
        BundleError: With file, key, what was expected and what was found.
    """
    path = bundle / PART
    return part_from_json(strict_json.parse(read_file(path, MAX_BYTES[PART]), path), task, path)


def part_from_json(raw: dict[str, Any], task: Task, source: object) -> PartGeometry:
    """Read the file's contents, checked against ``task``.

    Raises:
        BundleError: With file, key, what was expected and what was found.
    """
    strict_json.want_equal(raw, "schema", SCHEMA, source, "use the Refinery version that wrote it, or export again")
    strict_json.want_keys(raw, _KEYS, source)
    strict_json.want_equal(raw, "task", task.name, source, "the files of this bundle belong to different tasks")
    strict_json.want_equal(raw, "task_hash", task.hash(), source, "the task has changed since; export again")
    solids = strict_json.want(raw, "pieces", list, source)
    if len(solids) > MAX_PIECES:
        raise BundleError(f"{source}: pieces: expected at most {MAX_PIECES} solids, got {len(solids)}; export again")
    try:
        part = PartGeometry(
            symmetry=strict_json.want(raw, "symmetry", int, source),
            corners_m=_points(raw, "corners_m", 2, source),
            pieces=tuple(_piece(solid, f"{source}: pieces[{i}]") for i, solid in enumerate(solids)),
        )
    except ConfigError as error:
        got = strict_json.short(error.got)
        raise BundleError(f"{source}: {error.key}: expected {error.expected}, got {got}; export again") from None
    low, high = part.extent_m
    if max(abs(low), abs(high - task.plug.length_m)) > TOLERANCE_M:
        expected = f"solids from the tip at 0 to the task's length, {task.plug.length_m:g} m"
        raise BundleError(f"{source}: pieces: expected {expected}, got {low:g} m to {high:g} m; export again")
    return part


def _piece(raw: object, source: str) -> Piece:
    if not isinstance(raw, dict):
        raise BundleError(f"{source}: expected a solid with its kind, got {strict_json.short(raw)}; export again")
    kind = strict_json.want(raw, "kind", str, source)
    if kind not in _KINDS:
        raise BundleError(f"{source}: kind: expected one of {', '.join(_KINDS)}, got {strict_json.short(kind)}")
    strict_json.want_keys(raw, _KINDS[kind], source)
    if kind == "hull":
        return _hull(raw, source)
    centre, half = _vector(raw, "centre_m", 3, source), _vector(raw, "half_size_m", 3 if kind == "box" else 2, source)
    if not np.all(half > 0):
        raise BundleError(f"{source}: half_size_m: expected positive lengths, got {half.tolist()}; export again")
    if kind == "cylinder":
        return cylinder(centre, half)
    axes = _points(raw, "axes", 3, source, largest=1.0 + _UNIT_TOLERANCE)
    turn = axes.shape == (3, 3) and np.allclose(axes @ axes.T, np.eye(3), rtol=0, atol=_UNIT_TOLERANCE)
    if not (turn and np.linalg.det(axes) > 0):
        raise BundleError(f"{source}: axes: expected three unit vectors at right angles, got others; export again")
    return box(centre, half, axes)


def _hull(raw: dict[str, Any], source: str) -> Piece:
    """Read a hull whose corners span a solid: whoever makes a mesh of it must not find out that they do not."""
    corners = _points(raw, "corners_m", 3, source)
    volume = strict_json.want(raw, "volume_m3", (int, float), source)
    try:
        found = float(ConvexHull(corners).volume)
    except (QhullError, ValueError):
        raise BundleError(f"{source}: corners_m: expected corners of a solid, got others; export again") from None
    if not (0 < volume < 1 and abs(volume - found) <= _VOLUME_TOLERANCE * found):
        got = strict_json.short(volume)
        raise BundleError(f"{source}: volume_m3: expected {found:g} m^3 (of its corners), got {got}; export again")
    return hull(corners, float(volume))


def _vector(raw: dict[str, Any], key: str, size: int, source: object) -> Array:
    """Return a list of lengths."""
    row = strict_json.want(raw, key, list, source)
    return _points({key: [row]}, key, size, source)[0]


def _points(raw: dict[str, Any], key: str, width: int, source: object, largest: float = MAX_LENGTH_M) -> Array:
    """Return rows of numbers, shape (N, width); numpy alone would read texts and None as numbers too."""
    rows = strict_json.want(raw, key, list, source)
    right = 0 < len(rows) <= MAX_CORNERS and all(
        isinstance(row, list)
        and len(row) == width
        and all(type(value) in (int, float) and abs(value) <= largest for value in row)
        for row in rows
    )
    if not right:
        expected = f"1 to {MAX_CORNERS} rows of {width} numbers up to {largest:g}"
        raise BundleError(f"{source}: {key}: expected {expected}, got others; export the bundle again")
    return np.array(rows, dtype=np.float64)
