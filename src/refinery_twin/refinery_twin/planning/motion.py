"""Collision-free paths in joint space: the library's RRT-Connect, then shortcuts."""

from __future__ import annotations

import numpy as np
import roboplan.core as roboplan
from roboplan.rrt import RRT, RRTOptions

from refinery.rotations import Array
from refinery_twin.planning.arm_model import GROUP, ArmModel
from refinery_twin.planning.clock import Deadline
from refinery_twin.planning.collision_world import CollisionWorld

STEP_RAD = 0.01
"""Distance in joint space between two checks on an edge, [rad]; points of the arm hardly move by more than 1 cm."""
_REACH_RAD = 1.0
_MOST_NODES = 20_000
_SHORTCUTS = 200


def find_path(
    model: ArmModel, world: CollisionWorld, start_rad: Array, goal_rad: Array, seed: int, deadline: Deadline
) -> Array | None:
    """Find a path that is free of collisions.

    Args:
        model: The arm.
        world: Collision model of the scene.
        start_rad: Free joints, shape (7,), [rad].
        goal_rad: Free joints, shape (7,), [rad].
        seed: Seed of the tree and of the shortcuts.
        deadline: Ends the search.

    Returns:
        Corners from start to goal, shape (K, 7), K >= 2, [rad]; None if none was found in the time or the tree.
    """
    if world.free_between(start_rad, goal_rad, STEP_RAD):
        return np.stack([start_rad, goal_rad])
    if deadline.passed:
        return None
    options = RRTOptions(
        GROUP,
        max_nodes=_MOST_NODES,
        max_connection_distance=_REACH_RAD,
        collision_check_step_size=STEP_RAD,
        max_planning_time=deadline.left_s,
        rrt_connect=True,
    )
    tree = RRT(world.scene, options)
    tree.setRngSeed(seed)
    try:
        path = tree.plan(model.configuration(start_rad), model.configuration(goal_rad))
    except RuntimeError:
        # The library raises when it finds no path.
        return None
    shortcuts = roboplan.PathShortcuttingOptions(GROUP, max_step_size=STEP_RAD, max_iters=_SHORTCUTS, seed=seed)
    return np.array(roboplan.PathShortcutter(world.scene, shortcuts).shortcut(path).positions)


def length_rad(corners_rad: Array) -> float:
    """Return the length of a path in joint space, [rad]."""
    return float(np.linalg.norm(np.diff(corners_rad, axis=0), axis=1).sum())
