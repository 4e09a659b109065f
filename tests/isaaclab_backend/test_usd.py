"""The cell as USD has every contact attribute of the MuJoCo model, for boxes, cylinders and hulls."""

import dataclasses

import numpy as np
import pytest
from pxr import Usd, UsdGeom, UsdPhysics, UsdShade

from refinery.section import SectionSpec
from refinery_sim_train.backends.isaaclab_cell import cell_model
from refinery_sim_train.backends.usd import PLATE, ROBOT, write_cell
from refinery_sim_train.settings import read_task

SECTIONS = {
    "Cube": SectionSpec(family="rectangle", size_m=(0.012, 0.008)),
    "Cylinder": SectionSpec(family="round", size_m=(0.01,)),
    "Mesh": SectionSpec(family="d", size_m=(0.012, 0.004)),
}


@pytest.mark.parametrize("kind", SECTIONS)
def test_every_contact_attribute_is_written(kind, tmp_path):
    task = read_task("peg_rect")
    task = dataclasses.replace(task, plug=dataclasses.replace(task.plug, section=SECTIONS[kind]))
    model = cell_model(task)
    write_cell(model, tmp_path)
    seen = []
    for name in (ROBOT, PLATE):
        stage = Usd.Stage.Open(str(tmp_path / name))
        for prim in stage.Traverse():
            if not prim.HasAPI(UsdPhysics.CollisionAPI):
                continue
            geom = model.geom(prim.GetName()).id
            seen.append(geom)
            assert list(prim.GetAttribute("mjc:solref").Get()) == model.geom_solref[geom].tolist()
            assert list(prim.GetAttribute("mjc:solimp").Get()) == model.geom_solimp[geom].tolist()
            assert prim.GetAttribute("mjc:condim").Get() == model.geom_condim[geom]
            assert prim.GetAttribute("mjc:priority").Get() == model.geom_priority[geom]
            material = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial("physics")[0]
            friction = UsdPhysics.MaterialAPI(material.GetPrim()).GetDynamicFrictionAttr().Get()
            assert friction == pytest.approx(model.geom_friction[geom, 0])
            if prim.GetName() == "plug_0":
                assert prim.GetTypeName() == kind
    assert sorted(seen) == list(range(model.ngeom))


def test_masses_and_inertias_are_those_of_the_model(tmp_path):
    model = cell_model(read_task("peg_rect"))
    write_cell(model, tmp_path)
    stage = Usd.Stage.Open(str(tmp_path / ROBOT))
    total = 0.0
    for prim in stage.Traverse():
        if prim.HasAPI(UsdPhysics.RigidBodyAPI):
            body, mass = model.body(prim.GetName()).id, UsdPhysics.MassAPI(prim)
            total += mass.GetMassAttr().Get()
            assert np.allclose(mass.GetDiagonalInertiaAttr().Get(), model.body_inertia[body], rtol=1e-6)
            assert np.allclose(mass.GetCenterOfMassAttr().Get(), model.body_ipos[body], atol=1e-7)
    robot = [body for body in range(model.nbody) if model.body(body).name not in ("world", "socket")]
    assert total == pytest.approx(float(model.body_mass[robot].sum()))
    assert UsdGeom.GetStageMetersPerUnit(stage) == 1.0
