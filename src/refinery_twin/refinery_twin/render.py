"""A picture of the cell, made off-screen in a process of its own.

MuJoCo picks its GL library once, when it is imported, and a broken driver can end the process. So the picture is made
by a child process that is told which library to use (EGL first, then OSMesa, or what MUJOCO_GL says); the caller is
never touched.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refinery.config import to_mapping
from refinery.errors import NotReadyError
from refinery.rotations import Poses
from refinery.storage import write_whole
from refinery.task import Task
from refinery_twin.decoration import Decoration

BACKENDS = ("egl", "osmesa")
"""GL libraries to try, in order."""
_TIMEOUT_S = 120.0


def render_cell(
    task: Task,
    joints_rad: ArrayLike,
    socket: Poses,
    *,
    grasp: ArrayLike = (0.0, 0.0, 0.0),
    width: int = 960,
    height: int = 720,
    camera: str = "cell",
    decorations: Sequence[Decoration] = (),
) -> NDArray[np.uint8]:
    """Take a picture of the cell.

    Args:
        task: The task in the cell.
        joints_rad: Joints of the arm, shape (7,), [rad].
        socket: True socket pose in the base frame, batch of one.
        grasp: How the plug sits in the hand, shape (3,), order :data:`refinery.initial_state.GRASP_NAMES`.
        width: Width of the picture, [pixels], [16, 4096].
        height: Height of the picture, [pixels], [16, 4096].
        camera: Name of a camera of the cell's model, or ``socket``: from beside and above, on the socket alone.
        decorations: Shapes to draw into it. The arm then lets them shine through.

    Returns:
        RGB picture, shape (height, width, 3), uint8.

    Raises:
        NotReadyError: No GL library works here; the message says what was tried and what to install.
    """
    job = {
        "task": to_mapping(task),
        "joints_rad": np.asarray(joints_rad, dtype=np.float64).tolist(),
        "socket_pos_m": socket.pos_m[0].tolist(),
        "socket_quat_xyzw": socket.quat_xyzw[0].tolist(),
        "grasp": np.asarray(grasp, dtype=np.float64).tolist(),
        "width": int(np.clip(width, 16, 4096)),
        "height": int(np.clip(height, 16, 4096)),
        "camera": camera,
        "decorations": [dataclasses.asdict(item) for item in decorations],
    }
    chosen = os.environ.get("MUJOCO_GL")
    reasons = []
    for backend in (chosen,) if chosen else BACKENDS:
        picture, reason = _render_with(backend, job)
        if picture is not None:
            return picture
        reasons.append(f"{backend}: {reason}")
    raise NotReadyError(
        "no picture of the cell: no GL library works here ("
        + "; ".join(reasons)
        + "); it is optional: `apt-get install libegl1 libgl1-mesa-dri` or `apt-get install libosmesa6`"
    )


def _render_with(backend: str, job: dict[str, object]) -> tuple[NDArray[np.uint8] | None, str]:
    """Render with one GL library in a child process; returns the picture or the reason why not."""
    env = os.environ | {"MUJOCO_GL": backend, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    command = [sys.executable, "-m", "refinery_twin.render_child"]
    try:
        child = subprocess.run(
            command, input=json.dumps(job).encode(), env=env, capture_output=True, timeout=_TIMEOUT_S, check=False
        )
    except subprocess.TimeoutExpired:
        return None, f"no picture after {_TIMEOUT_S:.0f} s"
    size = int(str(job["width"])) * int(str(job["height"])) * 3
    if child.returncode == 0 and len(child.stdout) == size:
        flat = np.frombuffer(child.stdout, dtype=np.uint8)
        return flat.reshape(int(str(job["height"])), int(str(job["width"])), 3).copy(), ""
    lines = [line.strip() for line in child.stderr.decode(errors="replace").splitlines() if line.strip()]
    # Tear-down messages follow the exception that matters.
    telling = [line for line in lines if re.match(r"[\w.]*(Error|Exception)\b", line)]
    return None, (telling or lines or [f"exit status {child.returncode}"])[0][:200]


def write_png(path: Path, picture: NDArray[np.uint8]) -> Path:
    """Write an RGB picture (height, width, 3) as PNG, without an imaging library, and return the path."""
    height, width, _ = picture.shape
    rows = np.hstack([np.zeros((height, 1), dtype=np.uint8), picture.reshape(height, width * 3)])
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 2, 0, 0, 0])
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 9)), (b"IEND", b""))
    content = b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in chunks
    )
    write_whole(path, content)
    return path
