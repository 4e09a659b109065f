"""Picture of a task's cell for the page, rendered by MuJoCo."""

from __future__ import annotations

from pathlib import Path

from refinery.errors import NotReadyError
from refinery.initial_state import GRASP, tool_pose
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.task import Task
from refinery_sim_train.console import console, stage
from refinery_twin.render import render_cell, write_png


def cell_picture(task: Task, out: Path) -> tuple[bytes | None, str]:
    """Render the cell, or return the reason why not; a report without a picture is still a report.

    Args:
        task: The task.
        out: Folder where ``cell.png`` goes.
    """
    profile = load_robot_profile("twin")
    socket = Poses.single(task.socket.nominal_xyz_m, [0.0, 0.0, 0.0, 1.0])
    middle = (task.initial_state.trained.low + task.initial_state.trained.high)[None] / 2
    start = tool_pose(socket, middle, task.plug.tool_from_plug)
    joints, _ = profile.arm_kinematics().inverse(start, profile.home_rad)
    try:
        with stage("picture of the cell"):
            pixels = render_cell(task, joints[0], socket, width=960, height=640, grasp=middle[0, GRASP])
    except NotReadyError as error:
        console.print(f"  {error}")
        return None, str(error)
    return write_png(out / "cell.png", pixels).read_bytes(), "The twin's cell, rendered by MuJoCo."
