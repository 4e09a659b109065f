"""Isaac Lab's insertion tasks in our terms, read from its configuration: what differs there differs here.

Turns of the part about its own axis do not count, as they do not in Isaac Lab's tests of success.
"""

from __future__ import annotations

import math
from typing import Any

from refinery.initial_state import BoxSpec, InitialStateSpec
from refinery.section import SectionSpec
from refinery.task import ControlSpec, LimitSpec, NoiseSpec, PlugSpec, SocketSpec, SuccessSpec, Task

LATERAL_TOLERANCE_M = 0.0025
"""Factory's, [m]."""
ANGLE_TOLERANCE_RAD = 0.025
"""Factory-Franka's; the other tasks have none, [rad]."""
ENGAGED_ERROR_M = 0.015
"""AutoMate's ``close_error_thresh``, [m]."""
SYMMETRY = 0
"""As :func:`refinery.success.plug_offset` takes it: round."""


def factory_task(cfg: Any) -> Task:
    """Return Factory's PegInsert.

    Args:
        cfg: ``FactoryTaskPegInsertCfg`` of Isaac Lab.
    """
    task = cfg.task
    x, _, z = task.held_asset_pos_noise
    grasp_z_m = _held_length_m(task)
    above_m = task.fixed_asset_cfg.height + task.hand_init_pos[2] - grasp_z_m
    hand_x, hand_y, hand_z = task.hand_init_pos_noise
    yaw = task.hand_init_orn_noise[2]
    box = BoxSpec(
        x=(-hand_x, hand_x),
        y=(-hand_y, hand_y),
        z=(above_m - hand_z, above_m + hand_z),
        yaw=(-yaw, yaw),
        grasp_x=(-x, x),
        grasp_z=(-z, z),
    )
    # Turned by up to 360 degrees, the socket would take the hand along; a round one is the same at every turn.
    return _task("factory_peg_insert", cfg, task, box, yaw_rad=0.0, z_offset_m=0.0)


def automate_task(cfg: Any, insertion_depth_m: float) -> Task:
    """Return AutoMate's Assembly, with its curriculum off.

    Args:
        cfg: ``AssemblyEnvCfg`` of Isaac Lab.
        insertion_depth_m: Height over the seat at which the assembly's plug is free of its socket
            (``disassembly_dist.json``), [m].
    """
    task = cfg.tasks[cfg.task_name]
    x, y, _ = task.held_asset_init_pos_noise
    # Without the curriculum Isaac Lab lifts every plug by the same height.
    height_m = insertion_depth_m + task.curriculum_freespace_range
    box = BoxSpec(x=(-x, x), y=(-y, y), z=(height_m, height_m))
    # Isaac Lab turns the socket by 0 to this, which are turns around 0 here.
    yaw_rad = math.radians(task.fixed_asset_init_orn_range_deg)
    name = f"automate_{task.assembly_id}"
    return _task(name, cfg, task, box, yaw_rad, task.fixed_asset_z_offset, depth_m=insertion_depth_m)


def _held_length_m(task: Any) -> float:
    """From the fingertips to the tip of the part."""
    return float(task.held_asset_cfg.height - task.robot_cfg.franka_fingerpad_length)


def _task(
    name: str, cfg: Any, task: Any, box: BoxSpec, yaw_rad: float, z_offset_m: float, depth_m: float | None = None
) -> Task:
    held, fixed, control = task.held_asset_cfg, task.fixed_asset_cfg, cfg.ctrl
    x, y, z = task.fixed_asset.init_state.pos
    bound_m = max(control.pos_action_bounds)
    return Task(
        name=name,
        description=f"Isaac Lab's {task.name}, its observations and actions",
        plug=PlugSpec(
            section=SectionSpec(family="round", size_m=(held.diameter,)),
            length_m=held.height,
            mass_kg=held.mass,
            grasp_xyz_m=(0.0, 0.0, _held_length_m(task)),
            # Isaac Lab turns the part about y of the hand instead of x: half a turn about the part's own axis apart.
            grasp_rpy_rad=(math.pi, 0.0, 0.0),
        ),
        socket=SocketSpec(
            clearance_m=(fixed.diameter - held.diameter) / 2,
            depth_m=fixed.height if depth_m is None else depth_m,
            plate_half_size_m=0.06,
            friction=fixed.friction,
            nominal_xyz_m=(x, y, z + z_offset_m),
            range_xyz_m=tuple(task.fixed_asset_init_pos_noise),
            range_yaw_rad=yaw_rad,
        ),
        initial_state=InitialStateSpec(trained_in=box, deployed_in=box),
        noise=NoiseSpec(
            estimate_bias_m=cfg.obs_rand.fixed_asset_pos[0],
            estimate_bias_yaw_rad=0.0,
            estimate_jitter_m=0.0,
            control_bias_m=0.0,
        ),
        control=ControlSpec(
            policy_rate_hz=1 / (cfg.sim.dt * cfg.decimation),
            episode_s=cfg.episode_length_s,
            stiffness=tuple(control.default_task_prop_gains),
            # Isaac Lab damps critically for 1 kg, we for 4 kg.
            damping_ratio=0.5,
            max_error=(*control.pos_action_threshold, *control.rot_action_threshold),
            action_scale=(*control.pos_action_threshold, *control.rot_action_threshold),
            action_smoothing=control.ema_factor,
        ),
        success=SuccessSpec(
            depth_tolerance_m=fixed.height * task.success_threshold,
            lateral_tolerance_m=LATERAL_TOLERANCE_M,
            angle_tolerance_rad=ANGLE_TOLERANCE_RAD,
            engaged_error_m=ENGAGED_ERROR_M,
        ),
        limits=LimitSpec(
            workspace_low_m=(-bound_m,) * 3,
            workspace_high_m=(bound_m,) * 3,
            max_tilt_rad=1.4,
            max_speed_m_s=1.0,
            max_wrench=(40.0, 40.0, 60.0, 8.0, 8.0, 8.0),
        ),
    )
