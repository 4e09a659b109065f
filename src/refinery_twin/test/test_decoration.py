"""Markers become shapes, shapes become geoms of a scene, and a picture of them shows them."""

from __future__ import annotations

from dataclasses import replace

import mujoco
import numpy as np
import pytest
from geometry_msgs.msg import Point, Pose, Quaternion, Vector3
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker

from refinery.errors import ConfigError, NotReadyError
from refinery.rotations import Poses
from refinery.task import Task
from refinery_twin.decoration import ARROW, ELLIPSOID, LABEL, LINE, Decoration, draw
from refinery_twin.marker_shapes import shapes
from refinery_twin.picture import decorations
from refinery_twin.render import render_cell

RED = ColorRGBA(r=1.0, g=0.0, b=0.0, a=1.0)
RGBA = (1.0, 0.0, 0.0, 1.0)
BALL = Decoration(kind=ELLIPSOID, pos_m=(0.1, 0.2, 0.3), size_m=(0.01, 0.02, 0.03), rgba=RGBA)


def marker(kind: int, **values: object) -> Marker:
    made = Marker(ns="test", type=kind, action=Marker.ADD, color=RED, **values)
    made.header.frame_id = "base"
    return made


def test_a_sphere_keeps_its_half_axes_and_turn() -> None:
    quarter = Quaternion(x=0.0, y=0.0, z=np.sqrt(0.5), w=np.sqrt(0.5))
    pose = Pose(position=Point(x=0.1, y=0.2, z=0.3), orientation=quarter)
    (shape,) = shapes(marker(Marker.SPHERE, pose=pose, scale=Vector3(x=0.02, y=0.04, z=0.06)))
    assert (shape.kind, shape.pos_m, shape.size_m) == (ELLIPSOID, (0.1, 0.2, 0.3), (0.01, 0.02, 0.03))
    np.testing.assert_allclose(np.reshape(shape.axes, (3, 3)) @ [1, 0, 0], [0, 1, 0], atol=1e-12)


def test_points_arrows_lines_and_texts() -> None:
    corners = [Point(x=float(i), y=0.0, z=0.0) for i in range(3)]
    scale = Vector3(x=0.002, y=0.0, z=0.0)
    dots = shapes(marker(Marker.POINTS, points=corners, colors=[RED] * 3, scale=scale))
    assert [dot.pos_m[0] for dot in dots] == [0.0, 1.0, 2.0] and dots[0].size_m == (0.001,) * 3
    (arrow,) = shapes(marker(Marker.ARROW, points=corners[:2], scale=scale))
    assert (arrow.kind, arrow.pos_m, arrow.end_m) == (ARROW, (0.0, 0.0, 0.0), (1.0, 0.0, 0.0))
    # A corner that comes twice makes no line without length.
    lines = shapes(marker(Marker.LINE_STRIP, points=[corners[0], *corners], scale=scale))
    assert [(line.kind, line.pos_m[0], line.end_m[0]) for line in lines] == [(LINE, 0.0, 1.0), (LINE, 1.0, 2.0)]
    (label,) = shapes(marker(Marker.TEXT_VIEW_FACING, text="chosen"))
    assert (label.kind, label.text) == (LABEL, "chosen")


def test_what_is_not_to_be_drawn_is_not() -> None:
    assert shapes(Marker(action=Marker.DELETEALL)) == []
    assert shapes(marker(Marker.CUBE)) == []
    strange = marker(Marker.SPHERE)
    strange.header.frame_id = "camera"
    with pytest.raises(ConfigError, match=r"refinery_sampler/markers.*frame_id: expected base, got 'camera'"):
        decorations([Marker(action=Marker.DELETEALL), strange], "base")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"kind": "cube"}, "one of"), ({"rgba": RGBA[:3]}, "4 numbers"), ({"end_m": (0.0,) * 3}, "0 numbers")],
)
def test_shapes_are_checked(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        replace(BALL, **wrong)


def test_a_scene_takes_what_it_has_room_for() -> None:
    model = mujoco.MjModel.from_xml_string("<mujoco/>")
    scene = mujoco.MjvScene(model, maxgeom=3)
    arrow = Decoration(kind=ARROW, pos_m=(0.0, 0.0, 0.0), end_m=(0.0, 0.0, 2.0), rgba=RGBA)
    label = Decoration(kind=LABEL, pos_m=(0.0, 0.0, 0.0), rgba=RGBA, text="here")
    draw(scene, [BALL, arrow, label, BALL])
    assert scene.ngeom == 3
    assert np.allclose(scene.geoms[0].pos, BALL.pos_m) and np.allclose(scene.geoms[0].size, BALL.size_m)
    # The arrow's own axis is z, its length the third size.
    assert scene.geoms[1].size[2] == pytest.approx(2.0) and scene.geoms[2].label == "here"


def test_a_picture_shows_them(task: Task, home_rad: np.ndarray) -> None:
    socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, (0, 0, 0))
    above = tuple((socket.pos_m[0] + [0.0, 0.0, 0.03]).tolist())
    green = Decoration(kind=ELLIPSOID, pos_m=above, size_m=(0.02, 0.02, 0.01), rgba=(0.0, 1.0, 0.0, 1.0))
    try:
        views = [
            render_cell(task, home_rad, socket, width=160, height=120, camera="socket", decorations=items).astype(int)
            for items in ([], [green])
        ]
    except NotReadyError as error:
        pytest.skip(str(error))
    greens = [int(np.sum((v[..., 1] > 100) & (v[..., 0] < 60) & (v[..., 2] < 60))) for v in views]
    assert greens[0] == 0 and greens[1] > 50
