"""move_group is killed while the arm moves: every halt goes through the controller, and what is said is true."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from real_cell import RealCell, real_cell

from refinery.paths import config_file
from refinery.robot_profile import RobotProfile
from refinery.task import load_task
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome

pytestmark = pytest.mark.ros
HALT_S = 1.0
"""Longest simulated time from a halt to rest, with a busy machine in between, [s]."""


@pytest.fixture
def cell(profile: RobotProfile, tmp_path: Path) -> Iterator[RealCell]:
    with real_cell(profile, load_task(config_file("tasks", "peg_rect")), tmp_path) as cell:
        yield cell


def _kill(cell: RealCell) -> None:
    cell.processes["move_group"].send_signal(signal.SIGKILL)
    cell.processes["move_group"].wait()


def _expect_rest(cell: RealCell, since: int) -> None:
    """The arm came to rest at once, short of its goal, and stays there."""
    cell.spin_sim(0.2)
    assert cell.speed_rad_s() < 0.02
    assert cell.moved_s(since) < HALT_S
    there = cell.joints_rad[-1]
    cell.spin_sim(3.0)
    assert np.abs(cell.joints_rad[-1] - there).max() < 2e-3


@pytest.mark.parametrize("how", ["cancel", "deactivate", "shutdown", "SIGTERM"])
def test_halt_without_move_group(cell: RealCell, how: str) -> None:
    handle = cell.start_moving()
    ended = handle.get_result_async()
    _kill(cell)
    since = len(cell.joints_rad) - 1
    if how == "cancel":
        cell.client.wait_for(handle.cancel_goal_async().done, "answer to the cancel")
    elif how == "SIGTERM":
        cell.processes["sampler"].send_signal(signal.SIGTERM)
    else:
        number = {
            "deactivate": Transition.TRANSITION_DEACTIVATE,
            "shutdown": Transition.TRANSITION_ACTIVE_SHUTDOWN,
        }[how]
        request = ChangeState.Request(transition=Transition(id=number))
        assert cell.client.service(ChangeState, "/refinery_sampler/change_state", request).success
    cell.client.wait_for(ended.done, "result of /place")
    result: Place.Result = ended.result().result
    assert result.outcome.value == (Outcome.CANCELLED if how == "cancel" else Outcome.STOPPED), result.outcome.message
    assert "STILL MOVING" not in result.outcome.message and result.position_error_m > 0.01
    _expect_rest(cell, since)


def test_nobody_cancels(cell: RealCell) -> None:
    handle = cell.start_moving()
    _kill(cell)
    result = cell.client.result(handle)
    cell.spin_sim(0.2)
    assert cell.speed_rad_s() < 0.02
    # Noticed on the way, or the arm, which was watched all the time, has arrived.
    if result.outcome.value == Outcome.SUCCESS:
        assert result.position_error_m < 0.001 and "was cancelled" in result.outcome.message
    else:
        assert result.outcome.value == Outcome.STOPPED and "went away" in result.outcome.message
    there = cell.joints_rad[-1]
    cell.spin_sim(3.0)
    assert np.abs(cell.joints_rad[-1] - there).max() < 2e-3
