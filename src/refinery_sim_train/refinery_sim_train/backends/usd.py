"""The cell as USD, made from the compiled MuJoCo model: one articulation of arm, hand and plug, and the plate.

Every contact attribute is written out. Isaac Lab's own defaults (soft contacts, a pyramidal friction cone, a gap of
10 mm) make the same task several points of success easier.
"""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade, Vt

from refinery.rotations import Array
from refinery.storage import write_whole

ROBOT, PLATE = "robot.usda", "plate.usda"
"""Names of the files."""


def write_cell(model: mujoco.MjModel, folder: Path) -> None:
    """Write arm, hand and plug as :data:`ROBOT` and the plate as :data:`PLATE`.

    Args:
        model: A cell without scenery; its bodies carry their inertia themselves.
        folder: Where to; must exist.
    """
    socket = model.body("socket").id
    robot = _stage("robot")
    UsdPhysics.ArticulationRootAPI.Apply(robot.GetDefaultPrim())
    for body in range(1, model.nbody):
        if body != socket and not _empty(model, body):
            _body(robot, model, body)
            _joint(robot, model, body)
    plate = _stage("plate")
    _body(plate, model, socket)
    _plate_joint(plate, model, socket)
    for stage, name in ((robot, ROBOT), (plate, PLATE)):
        write_whole(folder / name, stage.GetRootLayer().ExportToString())


def _stage(name: str) -> Usd.Stage:
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, f"/{name}").GetPrim())
    return stage


def _path(stage: Usd.Stage, model: mujoco.MjModel, body: int) -> Sdf.Path:
    return stage.GetDefaultPrim().GetPath().AppendChild(model.body(body).name)


def _empty(model: mujoco.MjModel, body: int) -> bool:
    """Whether a body is only a frame: without mass, joint and shape."""
    return not (model.body_mass[body] or model.body_jntnum[body] or model.body_geomnum[body])


def _parent(model: mujoco.MjModel, body: int) -> tuple[int, Array, Array]:
    """The next body up that is more than a frame, and the pose in it: position and quaternion wxyz."""
    pos, quat = model.body_pos[body].copy(), model.body_quat[body].copy()
    parent = int(model.body_parentid[body])
    while parent and _empty(model, parent):
        above, up = np.zeros(3), np.zeros(4)
        mujoco.mju_mulPose(above, up, model.body_pos[parent], model.body_quat[parent], pos, quat)
        pos, quat, parent = above, up, int(model.body_parentid[parent])
    return parent, pos, quat


def _world_pose(model: mujoco.MjModel, body: int) -> tuple[Array, Array]:
    """Pose of a body with all joints at zero."""
    parent, pos, quat = _parent(model, body)
    while parent:
        parent, above, up = _above(model, parent, pos, quat)
        pos, quat = above, up
    return pos, quat


def _above(model: mujoco.MjModel, body: int, pos: Array, quat: Array) -> tuple[int, Array, Array]:
    parent, own_pos, own_quat = _parent(model, body)
    above, up = np.zeros(3), np.zeros(4)
    mujoco.mju_mulPose(above, up, own_pos, own_quat, pos, quat)
    return parent, above, up


def _place(xform: UsdGeom.Xformable, pos: Array, quat: Array, scale: Array | None = None) -> None:
    xform.AddTranslateOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*pos.tolist()))
    xform.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(_quatd(quat))
    xform.AddScaleOp(UsdGeom.XformOp.PrecisionDouble).Set(Gf.Vec3d(*(np.ones(3) if scale is None else scale).tolist()))


def _quatd(wxyz: Array) -> Gf.Quatd:
    return Gf.Quatd(float(wxyz[0]), *wxyz[1:].tolist())


def _quatf(wxyz: Array) -> Gf.Quatf:
    return Gf.Quatf(float(wxyz[0]), *wxyz[1:].tolist())


def _body(stage: Usd.Stage, model: mujoco.MjModel, body: int) -> None:
    path = _path(stage, model, body)
    xform = UsdGeom.Xform.Define(stage, path)
    _place(xform, *_world_pose(model, body))
    UsdPhysics.RigidBodyAPI.Apply(xform.GetPrim())
    mass = UsdPhysics.MassAPI.Apply(xform.GetPrim())
    mass.CreateMassAttr(float(model.body_mass[body]))
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*model.body_ipos[body].tolist()))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*model.body_inertia[body].tolist()))
    mass.CreatePrincipalAxesAttr(_quatf(model.body_iquat[body]))
    for geom in range(model.body_geomadr[body], model.body_geomadr[body] + model.body_geomnum[body]):
        _shape(stage, path, model, geom)


def _shape(stage: Usd.Stage, body: Sdf.Path, model: mujoco.MjModel, geom: int) -> None:
    """Write a collider: boxes as cubes of edge 2, scaled; hulls as meshes of their corners."""
    path, size, scale = body.AppendChild(model.geom(geom).name), model.geom_size[geom], None
    if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_BOX:
        shape = UsdGeom.Cube.Define(stage, path)
        shape.CreateSizeAttr(2.0)
        scale = size
    elif model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_CYLINDER:
        shape = UsdGeom.Cylinder.Define(stage, path)
        shape.CreateAxisAttr(UsdGeom.Tokens.z)
        shape.CreateRadiusAttr(float(size[0]))
        shape.CreateHeightAttr(2.0 * float(size[1]))
    else:
        shape = _hull(stage, path, model, int(model.geom_dataid[geom]))
    _place(shape, model.geom_pos[geom], model.geom_quat[geom], scale)
    prim = shape.GetPrim()
    UsdPhysics.CollisionAPI.Apply(prim)
    kinds = Sdf.ValueTypeNames
    for name, kind, value in (
        ("solref", kinds.DoubleArray, Vt.DoubleArray(model.geom_solref[geom].tolist())),
        ("solimp", kinds.DoubleArray, Vt.DoubleArray(model.geom_solimp[geom].tolist())),
        ("condim", kinds.Int, int(model.geom_condim[geom])),
        ("priority", kinds.Int, int(model.geom_priority[geom])),
    ):
        prim.CreateAttribute(f"mjc:{name}", kind).Set(value)
    material = UsdShade.Material.Define(stage, path.AppendChild("material"))
    friction = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
    friction.CreateStaticFrictionAttr(float(model.geom_friction[geom, 0]))
    friction.CreateDynamicFrictionAttr(float(model.geom_friction[geom, 0]))
    friction.CreateRestitutionAttr(0.0)
    UsdShade.MaterialBindingAPI.Apply(prim).Bind(material, UsdShade.Tokens.weakerThanDescendants, "physics")


def _hull(stage: Usd.Stage, path: Sdf.Path, model: mujoco.MjModel, mesh: int) -> UsdGeom.Mesh:
    vertices = model.mesh_vert[model.mesh_vertadr[mesh] : model.mesh_vertadr[mesh] + model.mesh_vertnum[mesh]]
    faces = model.mesh_face[model.mesh_faceadr[mesh] : model.mesh_faceadr[mesh] + model.mesh_facenum[mesh]]
    shape = UsdGeom.Mesh.Define(stage, path)
    shape.CreatePointsAttr([Gf.Vec3f(*vertex.tolist()) for vertex in vertices])
    shape.CreateFaceVertexCountsAttr([3] * len(faces))
    shape.CreateFaceVertexIndicesAttr(faces.ravel().tolist())
    UsdPhysics.MeshCollisionAPI.Apply(shape.GetPrim()).CreateApproximationAttr(UsdPhysics.Tokens.convexHull)
    return shape


def _joint(stage: Usd.Stage, model: mujoco.MjModel, body: int) -> None:
    """Write the joint that carries a body: fixed, or a hinge about z through its origin."""
    parent, pos, quat = _parent(model, body)
    path = stage.GetDefaultPrim().GetPath().AppendChild("joints").AppendChild(f"{model.body(body).name}_joint")
    if not model.body_jntnum[body]:
        _connect(UsdPhysics.FixedJoint.Define(stage, path), stage, model, parent, body, pos, quat)
        return
    index = int(model.body_jntadr[body])
    path = path.ReplaceName(model.joint(index).name)
    joint = UsdPhysics.RevoluteJoint.Define(stage, path)
    joint.CreateAxisAttr(UsdPhysics.Tokens.z)
    low, high = np.rad2deg(model.jnt_range[index]).tolist()
    joint.CreateLowerLimitAttr(low)
    joint.CreateUpperLimitAttr(high)
    # The drive only makes room for an actuator, which brings its own gains.
    UsdPhysics.DriveAPI.Apply(joint.GetPrim(), UsdPhysics.Tokens.angular)
    _connect(joint, stage, model, parent, body, pos, quat)


def _plate_joint(stage: Usd.Stage, model: mujoco.MjModel, body: int) -> None:
    """Fix the plate to the world: a kinematic body on a fixed joint becomes a mocap body."""
    rigid = UsdPhysics.RigidBodyAPI(stage.GetPrimAtPath(_path(stage, model, body)))
    rigid.CreateKinematicEnabledAttr(True)
    path = stage.GetDefaultPrim().GetPath().AppendChild("plate_joint")
    pos, quat = _world_pose(model, body)
    _connect(UsdPhysics.FixedJoint.Define(stage, path), stage, model, 0, body, pos, quat)


def _connect(
    joint: UsdPhysics.Joint, stage: Usd.Stage, model: mujoco.MjModel, parent: int, body: int, pos: Array, quat: Array
) -> None:
    if parent:
        joint.CreateBody0Rel().SetTargets([_path(stage, model, parent)])
    joint.CreateBody1Rel().SetTargets([_path(stage, model, body)])
    joint.CreateLocalPos0Attr(Gf.Vec3f(*pos.tolist()))
    joint.CreateLocalRot0Attr(_quatf(quat))
    joint.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    joint.CreateLocalRot1Attr(Gf.Quatf(1.0))
