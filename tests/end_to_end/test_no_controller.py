"""A placement while nobody holds the trajectory controller active: refused all the way up, and nothing moves."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest
import rclpy
from controller_manager_msgs.srv import SwitchController

from refinery.robot_profile import load_robot_profile
from refinery_evaluation.trials.client import TrialClient
from refinery_msgs.msg import Outcome

pytestmark = pytest.mark.ros
Switch = Callable[[Sequence[str], Sequence[str]], bool]


@pytest.fixture
def switch(client: TrialClient) -> Iterator[Switch]:
    """Somebody who activates and deactivates controllers, STRICT; tells whether it was done."""
    node = rclpy.create_node("somebody_who_switches")
    service = node.create_client(SwitchController, "/controller_manager/switch_controller")
    assert service.wait_for_service(timeout_sec=60.0)

    def call(activate: Sequence[str], deactivate: Sequence[str]) -> bool:
        request = SwitchController.Request(
            activate_controllers=list(activate),
            deactivate_controllers=list(deactivate),
            strictness=SwitchController.Request.STRICT,
        )
        future = service.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=60.0)
        return bool(future.result().ok)

    yield call
    node.destroy_node()


def test_a_placement_without_a_controller_fails_and_nothing_moves(client: TrialClient, switch: Switch):
    profile = load_robot_profile("twin")
    trajectory, home = profile.controllers.trajectory, profile.arm_kinematics().forward(np.array(profile.home_rad))
    client.new_cell(7)
    assert switch([], [trajectory])
    result = client.place("sample", 7)
    assert result.outcome.value == Outcome.FAILED, result.outcome.message
    assert "CONTROL_FAILED" in result.outcome.message and f"is {trajectory} active?" in result.outcome.message
    p = result.pose_reached.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], home.pos_m[0], atol=1e-3)
    assert switch([trajectory], [])
    again = client.place("sample", 7)
    assert again.outcome.value == Outcome.SUCCESS, again.outcome.message
