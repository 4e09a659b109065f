"""The safety checks of the campaign detect each violation."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from experiments.faults import safety
from experiments.faults.fault_bench import START_HEIGHT_M, fault_profile, fault_task
from experiments.faults.safety import History
from refinery.initial_state import tool_pose
from refinery.rotations import Poses
from refinery.tick.recording import Recording

TASK = fault_task()
PROFILE = fault_profile(TASK)
SOCKET = Poses.from_xyz_rpy(np.asarray(TASK.socket.nominal_xyz_m), (0.0, 0.0, 0.0))
START = tool_pose(SOCKET, np.array([[0, 0, START_HEIGHT_M, 0, 0, 0, 0, 0, 0.0]]), TASK.plug.tool_from_plug)


@pytest.fixture
def history() -> History:
    """An arm that is commanded to rest at the start of insertions, for two seconds."""
    past = History(PROFILE.arm_kinematics())
    home = np.asarray(PROFILE.home_rad)
    for time_s in np.arange(0.0, 2.0, 0.033):
        past.joints.append((float(time_s), home))
        past.commanded_n.append((float(time_s), 3.0))
    past.targets.append((0.5, np.concatenate([START.pos_m[0], START.quat_xyzw[0]])))
    return past


def test_an_arm_at_rest_within_its_bounds_is_safe(history: History) -> None:
    assert not safety.motion_problem(history, 0.5, 0.85)
    assert not safety.force_problem(history, TASK)
    assert not safety.box_problem(history, TASK, SOCKET, lied_to=False)


def test_too_much_force_is_found(history: History) -> None:
    history.commanded_n.append((1.0, safety.force_limit_n(TASK) + 1.5))
    assert "over the limit" in safety.force_problem(history, TASK)


def test_a_target_outside_the_box_is_found(history: History) -> None:
    value = history.targets[0][1].copy()
    value[0] += 0.056
    history.targets.append((0.6, value))
    assert "outside the workspace box" in safety.box_problem(history, TASK, SOCKET, lied_to=False)
    assert not safety.box_problem(history, TASK, SOCKET, lied_to=True)
    value[1] = np.nan
    assert "not finite" in safety.box_problem(history, TASK, SOCKET, lied_to=True)


def test_motion_after_a_stop_is_found(history: History) -> None:
    creeping = dataclasses.replace(history, joints=[(t, j + 1e-2 * max(0.0, t - 1.0)) for t, j in history.joints])
    assert "after it should have come to rest" in safety.motion_problem(creeping, 0.5, 0.85)
    jumped = dataclasses.replace(history, joints=[(t, j + 0.05 * (t > 0.6)) for t, j in history.joints])
    assert "ran on" in safety.motion_problem(jumped, 0.5, 0.85)
    history.targets.append((0.6, history.targets[0][1]))
    assert "1 targets after the stop" in safety.motion_problem(history, 0.5, 0.85)
    history.targets.pop()
    assert "too few states" in safety.motion_problem(history, 1.9, 2.25)


def test_rest_is_due_after_the_hand_back_or_after_the_spring(history: History) -> None:
    history.commanded_n.append((2.0, 0.0))
    released_s = history.commanded_n[-2][0]
    assert safety.rest_s(history, 0.5, handed_back=True) == released_s + safety.SETTLE_S
    assert safety.rest_s(history, 0.5, handed_back=False) == 0.5 + safety.REST_S


def test_a_target_too_far_from_what_the_node_was_told_is_found() -> None:
    def recording(away_m: float, level: int) -> Recording:
        shapes = {"grasp": (3,), "wrench": (1, 6), "now_s": (1,), "observation": (1, 24), "action": (1, 6)}
        blank = {name: np.zeros(shape) for name, shape in shapes.items()}
        return Recording(
            task_hash="",
            measured_pos_m=START.pos_m,
            measured_quat_xyzw=START.quat_xyzw,
            estimate_pos_m=SOCKET.pos_m,
            estimate_quat_xyzw=SOCKET.quat_xyzw,
            target_pos_m=START.pos_m + away_m,
            target_quat_xyzw=START.quat_xyzw,
            level=np.array([level]),
            **blank,
        )

    assert not safety.bound_problem(recording(0.014, 0), TASK)
    assert "the limit is" in safety.bound_problem(recording(0.02, 0), TASK)
    assert not safety.bound_problem(recording(0.02, 2), TASK)
    assert not safety.bound_problem(None, TASK)
