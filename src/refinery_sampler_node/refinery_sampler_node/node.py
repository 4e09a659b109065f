"""The lifecycle node `refinery_sampler`: /sample_init, /place, markers and status around the ROS-free sampler."""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType

import rclpy
from rclpy.clock import Clock, ClockType
from rclpy.exceptions import ParameterException
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from rclpy.signals import SignalHandlerOptions
from std_srvs.srv import Trigger

from refinery.bringup.graph import find_rival, settle
from refinery.bringup.ros_start import init_ros
from refinery.errors import NotReadyError, RefineryError
from refinery_msgs.srv import SampleInit
from refinery_ros.lifecycle import ManagedNode
from refinery_sampler_node.drawing import Drawing
from refinery_sampler_node.halting import PATIENCE_S
from refinery_sampler_node.parameters import declare_parameters, read_parameters
from refinery_sampler_node.place_server import PlaceServer
from refinery_sampler_node.sample_service import answer, refuse
from refinery_sampler_node.station import Station
from refinery_sampler_node.status import Display

NODE_NAME = "refinery_sampler"
_SPIN_S = 0.1
_STOP_S = 1.0
_HALT_S = PATIENCE_S + 1.0
_FLUSH_S = 0.2


class SamplerNode(ManagedNode):
    """Chooses initial states and places the arm there; see the package's documentation for its interface.

    Service and action exist from the start: a request to a node that is not active gets a sentence, not silence.
    """

    def __init__(self) -> None:
        super().__init__(NODE_NAME)
        declare_parameters(self)
        self.born_s = time.monotonic()
        """When the node was made, [s]."""
        self._station: Station | None = None
        self._active = False
        self.error = ""
        """Why the last configuration failed."""
        self._defect = ""
        self._display = Display(self)
        self._places = PlaceServer(self, self._active_station, self._show)
        self.create_service(SampleInit, "sample_init", self._on_sample_init)
        self.create_service(Trigger, "~/reset_estimate", self._on_reset_estimate)
        self.create_timer(1.0, self._on_status, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load bundle and profile and connect to the arm's topics."""
        try:
            self._station = Station(self, read_parameters(self))
        except RefineryError as error:
            self.error = str(error)
            self.get_logger().error(f"not configured: {error}")
            return TransitionCallbackReturn.FAILURE
        self.error = ""
        bundle = self._station.sampler.bundle
        self.get_logger().info(f"bundle {bundle.name!r}, task {bundle.task.name!r}, from {bundle.path}")
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Serve requests, unless another sampler does."""
        assert self._station is not None
        topics = [self._station.profile.socket_pose_topic] + ["/clock"] * self._station.profile.use_sim_time
        rival = find_rival(self, services=("sample_init",), actions=("place",), inputs=topics)
        if rival:
            self.error = rival
            self.get_logger().error(f"not activated: {rival}")
            return TransitionCallbackReturn.FAILURE
        self.error = ""
        self._active, self._defect = True, ""
        self._on_status()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring a moving arm to rest and serve no more requests."""
        self._active = False
        self._places.stop("the node was deactivated")
        self._on_status()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget bundle and arm."""
        self._release("the node was cleaned up")
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring a moving arm to rest and forget everything."""
        self._active = False
        self._release("the node was shut down")
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring a moving arm to rest and forget everything, after a transition that raised."""
        self._active = False
        self._release(self._defect)
        self._on_status()
        return TransitionCallbackReturn.SUCCESS

    def on_defect(self, where: str, error: Exception) -> None:
        """Bring a moving arm to rest; the reason stays in the status until the next activation."""
        self._defect = f"a defect in {where}, {type(error).__name__}: {error}; see the node's log"
        self._places.stop(self._defect)

    @property
    def busy(self) -> bool:
        """Whether a placement is in progress."""
        return self._places.busy

    def stop(self, reason: str) -> None:
        """Bring a moving arm to rest."""
        self._places.stop(reason)

    def _release(self, reason: str) -> None:
        self._places.stop(reason)
        station, self._station = self._station, None
        if station is not None:
            # An arm that is being brought to rest needs it until then.
            self._places.when_free(station.destroy)

    def _active_station(self) -> Station:
        if self._station is None:
            raise NotReadyError(f"no bundle is loaded: configure the node first ({self.error or 'not configured yet'})")
        if not self._active:
            raise NotReadyError(f"the node is not active: activate it (ros2 lifecycle set /{NODE_NAME} activate)")
        return self._station

    def _on_sample_init(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        try:
            return self._sample(request, response)
        except Exception as error:
            self.defect("service sample_init", error)
            return refuse(SampleInit.Response(), "INTERNAL_ERROR", self._defect)

    def _sample(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        try:
            station = self._active_station()
        except NotReadyError as error:
            return refuse(response, "NO_BUNDLE" if self._station is None else "NOT_ACTIVE", str(error))
        chosen = answer(station, request, response, self.get_clock().now().to_msg())
        if chosen is None:
            self.get_logger().warning(f"sample_init: {response.message}")
        else:
            self._show(chosen)
        return response

    def _on_reset_estimate(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._station is not None
        if self._station is None:
            response.message = "no bundle is loaded: configure the node first"
        else:
            response.message = f"forgot {self._station.estimates.reset()} socket estimates"
        return response

    def _show(self, drawing: Drawing) -> None:
        if self._station is not None:
            mixture = self._station.sampler.bundle.initial_states.mixture
            self._display.show(mixture, drawing, self._station.profile.base_frame)

    def _on_status(self) -> None:
        self._display.status(
            self._station,
            active=self._active,
            busy=self.busy,
            last=self._places.last,
            error=self.error,
            defect=self._defect,
        )


def autostart(node: SamplerNode, executor: SingleThreadedExecutor, told: list[int]) -> bool:
    """Configure and activate the node as a lifecycle manager would; tells whether to go on."""
    if not node.transition(node.trigger_configure):
        return False
    discovery_s = float(node.get_parameter("discovery_s").value)
    settle(lambda timeout_s: node.spin_once(executor, timeout_s), node.born_s, lambda: bool(told), discovery_s)
    return bool(told) or node.transition(node.trigger_activate)


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit code."""
    # Own handlers: rclpy's would invalidate the context first, and then a moving arm could not be told to stop.
    try:
        init_ros(args=args, signal_handler_options=SignalHandlerOptions.NO)
    except RefineryError as error:
        print(f"{NODE_NAME}: {error}", file=sys.stderr)
        return 1
    told: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        told.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    try:
        node = SamplerNode()
    except (RefineryError, ParameterException) as error:
        print(f"{NODE_NAME}: {error}", file=sys.stderr)
        rclpy.shutdown()
        return 1
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    try:
        if node.get_parameter("autostart").value and not autostart(node, executor, told):
            return 1
        while not told:
            node.spin_once(executor, _SPIN_S)
        node.stop(f"the process was told to end by {signal.Signals(told[0]).name}")
        deadline = time.monotonic() + _HALT_S
        while node.busy and time.monotonic() < deadline:
            node.spin_once(executor, _SPIN_S)
        # The result of the placement that was ended still has to leave.
        deadline = time.monotonic() + _FLUSH_S
        while time.monotonic() < deadline:
            node.spin_once(executor, _FLUSH_S / 4)
        return 0
    finally:
        executor.shutdown(timeout_sec=_STOP_S)
        node.destroy_node()
        rclpy.shutdown()


if __name__ == "__main__":
    sys.exit(main())
