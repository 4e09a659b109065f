"""Bringing the arm to rest, by two ways at once: MoveIt and the trajectory controller itself.

MoveIt is asked because it is what moves the arm; but it may be dead or stuck, while the controller, which lives with
the robot, follows what it was given to the end. So the controller's own action is asked as well, by its own protocol
and with no knowledge of the goal that MoveIt gave it.
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
from refinery_sampler_node.arm_state import ArmState
from refinery_sampler_node.moveit.waiting import RunningGoal, Tick

PATIENCE_S = 3.0
"""Longest wait for the arm to come to rest, wall clock, [s]."""
_AGAIN_S = 0.1
"""Until then the controller is asked again so often, [s]: what MoveIt had sent may reach it after a first request."""
_QUIET_S = 0.5
"""At rest for so long counts also if MoveIt has not said that its goal is over, wall clock, [s]."""


@dataclass(frozen=True, kw_only=True)
class Halted:
    """What became of a halt."""

    at_rest: bool
    """Whether the measured joints came to rest."""
    over: bool
    """Whether MoveIt has said that its goal is over; if not, it may yet begin or go on with it."""


class Halt:
    """Brings the arm to rest; used by everything that ends a motion early.

    A halt cancels every goal of the trajectory controller, also another program's: an arm that two programs move is
    better off at rest.

    Args:
        node: Gets the client.
        action: The trajectory controller's action, control_msgs/action/FollowJointTrajectory.
        arm: Its joints tell whether it has come to rest.
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
        """Whether the joints are measured at rest; not, if there is no fresh measurement."""
        try:
            return bool(np.abs(self._arm.joints()[1]).max() < self._rest_rad_s)
        except RefineryError:
            return False

    def ask(self, running: RunningGoal) -> None:
        """Ask controller and MoveIt for a halt, at once and without waiting for an answer; may be repeated."""
        for way in (self._ask_controller, running.cancel):
            self._try(way)

    async def until_rest(self, running: RunningGoal, tick: Tick) -> Halted:
        """Ask for a halt until the arm is measured at rest, or patience is over.

        Args:
            running: The goal that MoveIt executes.
            tick: Awaited between looks; must not raise, because a halt is not to be cut short.
        """
        end, asked = time.monotonic() + PATIENCE_S, -np.inf
        seen, quiet_since = self._arm.count, np.inf
        while True:
            now = time.monotonic()
            if now - asked >= _AGAIN_S:
                self.ask(running)
                asked = now
            await tick()
            # A measurement from before the halt says nothing about it.
            resting = self._arm.count > seen and self.at_rest
            now = time.monotonic()
            quiet_since = min(quiet_since, now) if resting else np.inf
            if (resting and (running.done or now - quiet_since >= _QUIET_S)) or now > end:
                return Halted(at_rest=resting, over=running.done)

    def _ask_controller(self) -> None:
        if self._pending is not None:
            self._client.remove_pending_request(self._pending)
        # No goal and no time named: all of them, by the protocol of actions. Sent also while the server is not seen:
        # what was there when the motion began is not left unasked because discovery lags.
        self._pending = self._client.call_async(CancelGoal.Request())

    def _try(self, way: Callable[[], None]) -> None:
        """One way must not be barred because the other fails."""
        try:
            way()
        except Exception as error:
            with suppress(Exception):
                self._node.get_logger().error(f"halting the arm: {type(error).__name__}: {error}")
