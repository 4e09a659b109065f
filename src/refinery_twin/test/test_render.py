"""The picture shows something where GL works; where it does not, the error says what to install."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from refinery.errors import NotReadyError
from refinery.rotations import Poses
from refinery.task import Task
from refinery_twin.render import render_cell, write_png


def test_missing_gl_is_named(task: Task, home_rad: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "no_such_library")
    socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, (0, 0, 0))
    with pytest.raises(NotReadyError, match=r"no_such_library: .*apt-get install"):
        render_cell(task, home_rad, socket, width=32, height=24)


def test_picture_of_the_cell(task: Task, home_rad: np.ndarray, tmp_path: Path) -> None:
    socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, (0, 0, 0))
    try:
        picture = render_cell(task, home_rad, socket, width=160, height=120)
    except NotReadyError as error:
        pytest.skip(str(error))
    assert picture.shape == (120, 160, 3)
    assert picture.std() > 10, "an even picture shows nothing"
    askew = render_cell(task, home_rad, socket, grasp=(0.002, -0.004, 0.2), width=160, height=120)
    assert np.any(askew != picture)
    content = write_png(tmp_path / "cell.png", picture).read_bytes()
    assert content.startswith(b"\x89PNG")
