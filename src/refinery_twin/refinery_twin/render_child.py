"""Child process of :mod:`refinery_twin.render`, with MUJOCO_GL set: a job as JSON on stdin, RGB bytes on stdout."""

from __future__ import annotations

import json
import os
import sys

import mujoco
import numpy as np

from refinery.cell.model import build_model
from refinery.config import from_mapping
from refinery.rotations import wxyz_from_xyzw
from refinery.task import Task
from refinery_twin.held_plug import hold_plug

_NO_SITES = 4


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
    with mujoco.Renderer(model, height=job["height"], width=job["width"]) as renderer:
        renderer.update_scene(data, camera=job["camera"], scene_option=options)
        picture_out.write(renderer.render().tobytes())
    picture_out.close()


if __name__ == "__main__":
    main()
