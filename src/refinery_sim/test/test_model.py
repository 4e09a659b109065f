import mujoco
import numpy as np
import pytest
from sections import SECTIONS, TASK, task_with

from refinery_sim.model import build_model
from refinery_sim.section import half_size_m

HOME = [0, 0.2, 0, -2.2, 0, 2.4, 0.785]


@pytest.fixture(scope="module")
def cell():
    return build_model(TASK, timestep_s=0.001)


def test_gains_are_the_tasks(cell):
    model, at = cell
    assert np.allclose(model.actuator_gainprm[at.cartesian.start : 3, 0], TASK.control.stiffness[:3])


@pytest.mark.parametrize("name", SECTIONS)
def test_plug_has_its_mass_and_decides_the_friction(name):
    model, at = build_model(task_with(SECTIONS[name]), timestep_s=0.001, scenery=False)
    assert model.body("plug").id == at.plug_body and model.body_parentid[at.plug_body] == model.body("hand").id
    assert model.body_mass[at.plug_body] == pytest.approx(TASK.plug.mass_kg)
    assert [model.geom(geom).name for geom in at.plug_geoms] == [f"plug_{i}" for i in range(len(at.plug_geoms))]
    assert np.all(model.geom_priority[list(at.plug_geoms)] == 1)
    assert np.all(model.geom_priority[[i for i in range(model.ngeom) if i not in at.plug_geoms]] == 0)
    assert np.allclose(model.geom_friction[list(at.plug_geoms), 0], TASK.socket.friction)
    # The middle of the mass is on the plug, between tip and upper end.
    x, y, z = model.body_ipos[at.plug_body]
    half = half_size_m(SECTIONS[name])
    assert abs(x) < half[0] and abs(y) < half[1] and 0 < z < TASK.plug.length_m


@pytest.mark.parametrize("timestep", [0.001, 0.0028, 0.004])
def test_contacts_are_never_stiffer_than_the_step_allows(timestep):
    model, _ = build_model(TASK, timestep_s=timestep, scenery=False)
    colliding = model.geom_contype > 0
    assert np.all(model.geom_solref[colliding, 0] >= 2 * timestep)
    assert np.all(model.geom_solref[colliding, 0] == max(0.005, 2 * timestep))


def test_without_scenery_only_what_collides_is_left_and_physics_are_the_same(cell):
    shown, at = cell
    bare, bare_at = build_model(TASK, timestep_s=0.001, scenery=False)
    assert np.all(bare.geom_contype == 1) and bare.nlight == bare.ncam == bare.nmesh == bare.ntex == 0
    for field in ("body_mass", "body_inertia", "body_ipos", "body_iquat"):
        assert np.allclose(getattr(bare, field), getattr(shown, field), atol=1e-12), field
    paths = []
    for model, index in ((shown, at), (bare, bare_at)):
        data = mujoco.MjData(model)
        data.qpos[:7], data.ctrl[index.posture] = HOME, HOME
        mujoco.mj_forward(model, data)
        data.ctrl[:3] = data.site_xpos[index.tool_site] + [0.01, 0.0, -0.02]
        mujoco.mj_step(model, data, 200)
        paths.append(data.qpos.copy())
    assert np.allclose(paths[0], paths[1], atol=1e-12)


def test_plug_can_be_held_differently_at_run_time(cell):
    model, at = cell
    data = mujoco.MjData(model)
    data.qpos[:7] = HOME
    mujoco.mj_kinematics(model, data)
    before = data.site_xpos[at.plug_site].copy()
    axis = data.xmat[model.body("hand").id].reshape(3, 3)[:, 0]
    nominal = model.body_pos[at.plug_body].copy()
    model.body_pos[at.plug_body] = nominal + np.array([0.003, 0, 0])
    mujoco.mj_kinematics(model, data)
    model.body_pos[at.plug_body] = nominal
    assert np.allclose(data.site_xpos[at.plug_site], before + 0.003 * axis)
