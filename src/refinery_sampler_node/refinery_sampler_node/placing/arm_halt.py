"""Brings the arm to rest through MoveIt and through the trajectory controller at once.

The goal is cancelled at MoveIt, which executes it; but MoveIt may be dead or stuck, while the controller follows the
trajectory it was given to the end. Therefore all goals of the controller's own action are cancelled as well, which
needs no knowledge of the goal that MoveIt sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from action_msgs.srv import CancelGoal
from rclpy.node import Node
from rclpy.task import Future

from refinery.errors import RefineryError
from refinery_sampler_node.inputs.arm_state import ArmState
from refinery_sampler_node.moveit.waiting import RunningGoal, Tick

PATIENCE_S = 3.0
"""Longest wait for the arm to come to rest, wall clock, [s]."""
_AGAIN_S = 0.1
"""Period of the cancel requests, [s]: a goal that MoveIt had sent may reach the controller after the first request."""
_QUIET_S = 0.5
"""An arm at rest for this long is halted even if MoveIt has not reported the end of its goal, wall clock, [s]."""


@dataclass(frozen=True, kw_only=True)
class HaltResult:
    """Result of a halt."""

    at_rest: bool
    """Whether the measured joints came to rest."""
    over: bool
    """Whether MoveIt has reported the end of its goal; if not, it may still start or continue it."""


class ArmHalt:
    """Brings the arm to rest; used wherever a motion ends early.

    A halt cancels every goal of the trajectory controller, including those of other programs: an arm that two programs
    move had better rest.

    Args:
        node: Gets the client.
        action: The trajectory controller's action, control_msgs/action/FollowJointTrajectory.
        arm: Measured joints, which show whether the arm is at rest.
        rest_rad_s: Joints slower than this are at rest, [rad/s].
    """

    def __init__(self, node: Node, action: str, arm: ArmState, rest_rad_s: float) -> None:
        self._node, self._arm, self._rest_rad_s = node, arm, rest_rad_s
        self._client = node.create_client(CancelGoal, f"{action}/_action/cancel_goal")
        self._pending: Future | None = None

    def destroy(self) -> None:
        """End the connection."""
        self._node.destroy_client(self._client)

    @property
    def at_rest(self) -> bool:
        """Whether the joints are measured at rest; False without a fresh measurement."""
        try:
            return bool(np.abs(self._arm.joints()[1]).max() < self._rest_rad_s)
        except RefineryError:
            return False

    def request(self, running: RunningGoal) -> None:
        """Request a halt from controller and MoveIt without waiting for an answer; may be repeated."""
        for cancel in (self._cancel_controller_goals, running.cancel):
            self._attempt(cancel)

    async def until_rest(self, running: RunningGoal, tick: Tick) -> HaltResult:
        """Request a halt until the arm is measured at rest, for at most :data:`PATIENCE_S`.

        Args:
            running: The goal that MoveIt executes.
            tick: Awaited between checks; must not raise, because a halt must not be interrupted.
        """
        end, requested = time.monotonic() + PATIENCE_S, -np.inf
        seen, quiet_since = self._arm.count, np.inf
        while True:
            now = time.monotonic()
            if now - requested >= _AGAIN_S:
                self.request(running)
                requested = now
            await tick()
            # A measurement from before the halt does not count.
            resting = self._arm.count > seen and self.at_rest
            now = time.monotonic()
            quiet_since = min(quiet_since, now) if resting else np.inf
            if (resting and (running.done or now - quiet_since >= _QUIET_S)) or now > end:
                return HaltResult(at_rest=resting, over=running.done)

    def _cancel_controller_goals(self) -> None:
        if self._pending is not None:
            self._client.remove_pending_request(self._pending)
        # Without a goal id and a stamp all goals are cancelled, by the protocol of actions. It is sent even while the
        # server is not discovered: discovery may lag behind the motion.
        self._pending = self._client.call_async(CancelGoal.Request())

    def _attempt(self, cancel: Callable[[], None]) -> None:
        """Cancel by one path; its failure must not prevent the other."""
        try:
            cancel()
        except Exception as error:
            with suppress(Exception):
                self._node.get_logger().error(f"halting the arm: {type(error).__name__}: {error}")
