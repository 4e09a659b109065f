"""The cell as Isaac Lab configures it: solver, scene and actuators, alike for the backend and for the tasks there."""

from __future__ import annotations

from pathlib import Path

import mujoco
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg, AssetBaseCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.sim import SimulationCfg, UsdFileCfg
from isaaclab.utils import configclass
from isaaclab_newton.physics import MJWarpSolverCfg, NewtonCfg, NewtonShapeCfg

from refinery.task import Task
from refinery_sim.model import ARMATURE_KG_M2, POSTURE_STIFFNESS_NM_RAD, build_model, posture_damping
from refinery_sim_train.backends.physics import SUBSTEPS, timestep_s
from refinery_sim_train.backends.solver_limits import CONSTRAINTS, CONTACTS, LINE_SEARCH_ITERATIONS
from refinery_sim_train.backends.usd import PLATE, ROBOT, write_cell


@configclass
class CellSceneCfg(InteractiveSceneCfg):
    """Arm with the plug in its hand, and the plate. The environments lie on one spot: they do not see each other."""

    num_envs: int = 256
    # A grid of thousands would cost the micrometre: positions are float32.
    env_spacing: float = 0.0
    robot: ArticulationCfg = ArticulationCfg(
        prim_path="{ENV_REGEX_NS}/Robot",
        spawn=UsdFileCfg(usd_path=""),
        actuators={},
    )
    plate: AssetBaseCfg = AssetBaseCfg(prim_path="{ENV_REGEX_NS}/Plate", spawn=UsdFileCfg(usd_path=""))


def cell_model(task: Task) -> mujoco.MjModel:
    """Compile the cell of a task without scenery and without the servo that MuJoCo before version 4 lacks."""
    return build_model(task, timestep_s=timestep_s(task), scenery=False, turning_servo=False)[0]


def simulation_cfg(task: Task, device: str) -> SimulationCfg:
    """Return the solver's settings: those of the compiled MuJoCo model.

    Args:
        task: The insertion task.
        device: ``cpu`` or ``cuda:<index>``.
    """
    solver = MJWarpSolverCfg(
        solver="newton",
        integrator="implicitfast",
        cone="elliptic",
        iterations=20,
        ls_iterations=LINE_SEARCH_ITERATIONS,
        nconmax=CONTACTS,
        njmax=CONSTRAINTS,
    )
    return SimulationCfg(
        dt=timestep_s(task),
        device=device,
        render_interval=SUBSTEPS,
        # The robot compensates its own weight and the part's.
        gravity=(0.0, 0.0, 0.0),
        physics=NewtonCfg(solver_cfg=solver, default_shape_cfg=NewtonShapeCfg(gap=0.0)),
        create_stage_in_memory=True,
    )


def fill_scene(scene: CellSceneCfg, task: Task, home_rad: tuple[float, ...], folder: Path) -> mujoco.MjModel:
    """Write a task's cell as USD and point a scene to it.

    Args:
        scene: The scene; changed in place.
        task: The insertion task.
        home_rad: Joint positions to spawn the arm with, [rad].
        folder: Folder for the USD files; must stay while the scene is built.

    Returns:
        The model that the files were made from.
    """
    model = cell_model(task)
    write_cell(model, folder)
    joints = [model.joint(index).name for index in range(model.njnt)]
    scene.robot.spawn.usd_path, scene.plate.spawn.usd_path = str(folder / ROBOT), str(folder / PLATE)
    scene.robot.init_state = ArticulationCfg.InitialStateCfg(joint_pos=dict(zip(joints, home_rad, strict=True)))
    # The springs that hold the elbow, and beside their damping what is left of the joints' own.
    damping = posture_damping(POSTURE_STIFFNESS_NM_RAD) + float(model.dof_damping[0])
    scene.robot.actuators = {
        "arm": ImplicitActuatorCfg(
            joint_names_expr=joints,
            stiffness=POSTURE_STIFFNESS_NM_RAD,
            damping=damping,
            armature=ARMATURE_KG_M2,
            friction=0.0,
        )
    }
    return model
