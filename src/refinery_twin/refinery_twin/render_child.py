"""Child process of :mod:`refinery_twin.render`, with MUJOCO_GL set: a job as JSON on stdin, RGB bytes on stdout."""

from __future__ import annotations

import json
import os
import sys

import mujoco
import numpy as np

from refinery.config import from_mapping
from refinery.rotations import wxyz_from_xyzw
from refinery.task import Task
from refinery_sim.held_plug import hold_plug
from refinery_sim.model import build_model
from refinery_twin.decoration import Decoration, draw

_NO_SITES = 4
SOCKET = "socket"
"""Camera that is not in the model."""
_FONT = mujoco.mjtFontScale.mjFONTSCALE_100
_ROOM = 10_000
"""Shapes in a scene, at most."""


def main() -> None:
    """Render the job."""
    # GL drivers print to stdout; the picture gets the original stdout for itself.
    picture_out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    job = json.load(sys.stdin)
    task = from_mapping(job["task"], Task, source="render job")
    model, at = build_model(task, timestep_s=0.001)
    model.vis.global_.offwidth, model.vis.global_.offheight = job["width"], job["height"]
    hold_plug(model, at, task.plug, np.asarray([job["grasp"]]))
    data = mujoco.MjData(model)
    data.qpos[at.joints] = job["joints_rad"]
    data.mocap_pos[at.socket_mocap] = job["socket_pos_m"]
    data.mocap_quat[at.socket_mocap] = wxyz_from_xyzw(np.asarray(job["socket_quat_xyzw"]))
    mujoco.mj_forward(model, data)
    options = mujoco.MjvOption()
    options.sitegroup[_NO_SITES] = 0
    decorations = [from_mapping(item, Decoration, source="render job") for item in job["decorations"]]
    camera = _beside(job["socket_pos_m"]) if job["camera"] == SOCKET else job["camera"]
    with mujoco.Renderer(model, height=job["height"], width=job["width"], max_geom=_ROOM, font_scale=_FONT) as renderer:
        renderer.update_scene(data, camera=camera, scene_option=options)
        if decorations:
            _fade_arm(renderer.scene, model, at.plug_body)
            draw(renderer.scene, decorations)
        picture_out.write(renderer.render().tobytes())
    picture_out.close()


def _beside(socket_pos_m: list[float]) -> mujoco.MjvCamera:
    """Return a camera that sees the socket and a hand's breadth above it."""
    camera = mujoco.MjvCamera()
    camera.lookat = np.add(socket_pos_m, [0.0, 0.045, 0.035])
    camera.distance, camera.azimuth, camera.elevation = 0.27, 165.0, -22.0
    return camera


def _fade_arm(scene: mujoco.MjvScene, model: mujoco.MjModel, held: int) -> None:
    """Let what is drawn shine through the arm that holds a body, and through that body."""
    root = model.body_rootid[held]
    for i in range(scene.ngeom):
        geom = scene.geoms[i]
        is_geom = geom.objtype == mujoco.mjtObj.mjOBJ_GEOM and geom.objid >= 0
        if is_geom and model.body_rootid[model.geom_bodyid[geom.objid]] == root:
            geom.rgba[3] *= 0.35


if __name__ == "__main__":
    main()
