"""What is only looked at: the hand's meshes, table, backdrop, lights and cameras. Nothing here collides or weighs."""

from __future__ import annotations

import mujoco

from refinery.task import Task
from refinery_sim.section import half_size_m


def add_finger_visuals(spec: mujoco.MjSpec, task: Task) -> None:
    """Add the hand, and the fingers closed on the plug."""
    for name in ("hand", "finger"):
        spec.add_mesh(name=name, file=f"{name}.obj")
    hand = spec.body("hand")
    visual = {"contype": 0, "conaffinity": 0, "group": 2, "mass": 0.0}
    hand.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname="hand", **visual)
    half_y = half_size_m(task.plug.section)[1]
    for side in (1, -1):
        hand.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname="finger",
            pos=[0, side * half_y, 0.0584],
            quat=[1, 0, 0, 0] if side == 1 else [0, 0, 0, 1],
            **visual,
        )


def hide_arm(spec: mujoco.MjSpec) -> None:
    """Remove the arm's meshes and their looks, lights and cameras: its bodies carry their inertia themselves."""
    for geom in [geom for body in spec.bodies if body.name.startswith("panda") for geom in body.geoms]:
        spec.delete(geom)
    meshes = [mesh for mesh in spec.meshes if mesh.file]
    for item in [*meshes, *spec.materials, *spec.textures, *spec.lights, *spec.cameras]:
        spec.delete(item)


def add_scenery(spec: mujoco.MjSpec) -> None:
    """Add table, pedestal, backdrop, lights and two cameras."""
    looks = {"contype": 0, "conaffinity": 0, "mass": 0.0}
    box = mujoco.mjtGeom.mjGEOM_BOX
    spec.worldbody.add_geom(type=box, size=[0.45, 0.45, 0.02], pos=[0.3, 0, -0.03], rgba=[0.80, 0.79, 0.77, 1], **looks)
    socket = spec.body("socket")
    # From under the closed bottom of the plate down to the table.
    half_height = max(float(socket.pos[2]) - 0.01, 0.002) / 2
    size, pos = [0.045, 0.045, half_height], [0, 0, -0.02 - half_height]
    socket.add_geom(type=box, size=size, pos=pos, rgba=[0.42, 0.44, 0.47, 1], **looks)
    spec.add_texture(
        name="backdrop",
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.93, 0.95, 0.97],
        rgb2=[0.62, 0.67, 0.73],
        width=128,
        height=768,
    )
    spec.visual.headlight.ambient = [0.35, 0.35, 0.35]
    spec.visual.headlight.diffuse = [0.3, 0.3, 0.3]
    spec.visual.headlight.specular = [0.05, 0.05, 0.05]
    spec.visual.quality.shadowsize = 8192
    spec.visual.quality.offsamples = 8
    # The light that casts shadows comes from beside the camera, so that the hand does not darken the hole.
    spec.worldbody.add_light(
        pos=[1.3, -0.35, 1.15], dir=[-0.85, 0.35, -0.95], diffuse=[0.42, 0.42, 0.4], castshadow=True, cutoff=60
    )
    spec.worldbody.add_light(
        pos=[0.0, 1.4, 1.5], dir=[0.25, -0.8, -1.0], diffuse=[0.2, 0.2, 0.23], castshadow=False, cutoff=80
    )
    spec.worldbody.add_camera(name="cell", pos=[1.40, -1.0, 0.80], xyaxes=[0.66, 0.75, 0, -0.25, 0.22, 0.943], fovy=42)
    spec.worldbody.add_camera(name="close", pos=[0.75, -0.25, 0.30], xyaxes=[0.7, 0.71, 0, -0.34, 0.335, 0.88], fovy=30)
