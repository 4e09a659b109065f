"""The action /place: one placement at a time, advanced by a timer so that the executor is never blocked."""

from __future__ import annotations

import math
from collections.abc import Callable

from rclpy.action import ActionServer, CancelResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.clock import Clock, ClockType
from rclpy.task import Future

from refinery.errors import RefineryError
from refinery.initial_state import THETA_NAMES
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome
from refinery_ros.lifecycle import ManagedNode
from refinery_sampler_node.placing.motion_guard import PlacementEndedError
from refinery_sampler_node.placing.placement import Placement
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice

RATE_HZ = 50.0
"""Steps of a placement per second."""


class PlaceServer:
    """Serves /place.

    Goals are always accepted and refusals are results, because a rejected goal carries no reason.

    Args:
        node: Gets the action server and a timer.
        resources: Returns the resources of the active node; raises RefineryError with the reason if it is not active.
        draw: Called with what is to be displayed.
    """

    def __init__(
        self, node: ManagedNode, resources: Callable[[], SamplerResources], draw: Callable[[DisplayedChoice], None]
    ) -> None:
        self._node = node
        self._resources = resources
        self._draw = draw
        self._busy = False
        self._placement: Placement | None = None
        self._stop_reason: str | None = None
        self._afterwards: list[Callable[[], None]] = []
        self._tick: Future = Future()
        self.last = "none yet"
        """Message of the last result, for diagnostics."""
        # Steady time: the timer must go on to notice a simulated clock that stops.
        self._timer = node.create_timer(1.0 / RATE_HZ, self._on_timer, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._timer.cancel()
        on_cancel = node.guarded("cancellation of place", lambda _goal: CancelResponse.ACCEPT, CancelResponse.ACCEPT)
        self._server = ActionServer(node, Place, "place", self._execute, cancel_callback=on_cancel)

    @property
    def busy(self) -> bool:
        """Whether a placement is in progress."""
        return self._busy

    def stop(self, reason: str) -> None:
        """End a placement in progress: a halt is requested at once, the result follows when the arm is at rest."""
        if self._busy:
            self._stop_reason = self._stop_reason or reason
        if self._placement is not None:
            self._placement.hold()
        # The timer itself may be what has failed.
        self._on_timer()

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function as soon as no placement is in progress, which may be at once."""
        if self._busy:
            self._afterwards.append(self._node.guarded("callback after a placement", call))
        else:
            call()

    def _on_timer(self) -> None:
        tick, self._tick = self._tick, Future()
        tick.set_result(None)

    async def _execute(self, handle: ServerGoalHandle) -> Place.Result:
        result = Place.Result(theta_names=list(THETA_NAMES), success_probability=math.nan)
        result.position_error_m = result.rotation_error_rad = math.nan
        if self._busy:
            sentence = "another placement is in progress: wait for its result or cancel it; nothing was changed"
            return self._finish(handle, result, Outcome.REFUSED, sentence)
        self._busy, self._stop_reason = True, None
        self._timer.reset()
        try:
            outcome, sentence = await self._place(handle, result)
        # rclpy would turn an exception into an empty result, whose outcome is success.
        except Exception as error:
            outcome, sentence = Outcome.STOPPED, self._defect(error)
        finally:
            self._timer.cancel()
            self._busy, self._placement = False, None
            while self._afterwards:
                self._afterwards.pop()()
        return self._finish(handle, result, outcome, sentence)

    async def _place(self, handle: ServerGoalHandle, result: Place.Result) -> tuple[int, str]:
        """Run one placement and turn its end, or its exception, into an outcome and a sentence."""
        try:
            placement = self._placement = Placement(
                self._resources().of_task(handle.request.task),
                handle.request,
                result,
                now=lambda: self._node.get_clock().now().to_msg(),
                tick=lambda: self._next_tick(handle),
                pause=self._pause,
                feedback=lambda share, phase: handle.publish_feedback(Place.Feedback(progress=share, phase=phase)),
                draw=self._draw,
            )
        except RefineryError as error:
            return Outcome.REFUSED, f"{error}; nothing moved"
        try:
            return Outcome.SUCCESS, await placement.run()
        except PlacementEndedError as end:
            pose = placement.report() if placement.started else "nothing moved"
            return end.outcome, f"{end}; {pose}"
        except RefineryError as error:
            why = str(error)
        except Exception as error:
            why = self._defect(error)
        if not placement.started:
            return Outcome.REFUSED, f"{why}; nothing moved"
        return Outcome.STOPPED, f"{why}; {placement.report()}"

    async def _pause(self) -> None:
        """Wait for the timer."""
        await self._tick

    async def _next_tick(self, handle: ServerGoalHandle) -> None:
        """Wait for the timer; raises :class:`PlacementEndedError` on cancellation or :meth:`stop`."""
        await self._pause()
        if self._stop_reason is not None:
            raise PlacementEndedError(Outcome.STOPPED, f"stopped: {self._stop_reason}")
        if handle.is_cancel_requested:
            raise PlacementEndedError(Outcome.CANCELLED, "cancelled by the client")

    def _finish(self, handle: ServerGoalHandle, result: Place.Result, outcome: int, sentence: str) -> Place.Result:
        result.outcome = Outcome(value=outcome, message=sentence)
        self.last = sentence
        log = self._node.get_logger()
        if outcome == Outcome.SUCCESS:
            log.info(f"place: {sentence}")
            end = handle.succeed
        else:
            log.warning(f"place: {sentence}")
            end = handle.canceled if handle.is_cancel_requested else handle.abort
        try:
            end()
        # rclpy would turn an exception into an empty result, whose outcome is success.
        except Exception as error:
            self._node.defect("the end of a placement", error)
        return result

    def _defect(self, error: Exception) -> str:
        self._node.defect("a placement", error)
        return self._stop_reason or f"a defect, {type(error).__name__}: {error}; see the node's log"
