"""The plug in the hand: rigid, but not always where it was intended to be."""

from __future__ import annotations

import mujoco

from refinery.rotations import Array, Poses, wxyz_from_xyzw
from refinery.task import PlugSpec
from refinery_sim.model import HAND_FROM_TOOL_Z_M, CellIndices


def hold_plug(model: mujoco.MjModel, at: CellIndices, plug: PlugSpec, grasp: Array) -> None:
    """Let the gripper of a model hold the plug with a grasp; the next kinematics move it there.

    Args:
        model: Of the cell.
        at: Its indices.
        plug: The plug and its intended grasp.
        grasp: Shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`, [m, m, rad].
    """
    hold_at(model, at, plug.tool_from_plug_at(grasp))


def hold_at(model: mujoco.MjModel, at: CellIndices, tool_from_plug: Poses) -> None:
    """Let the gripper of a model hold the plug at a pose in the tool frame, batch of one; the next kinematics move it.

    Args:
        model: Of the cell.
        at: Its indices.
        tool_from_plug: The plug's tip frame in the tool frame.
    """
    model.body_pos[at.plug_body] = tool_from_plug.pos_m[0] + [0.0, 0.0, HAND_FROM_TOOL_Z_M]
    model.body_quat[at.plug_body] = wxyz_from_xyzw(tool_from_plug.quat_xyzw[0])
