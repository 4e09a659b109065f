"""The lifecycle node ``refinery_sampler``: /sample_init, /place, markers and status."""

from __future__ import annotations

import sys

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn
from std_srvs.srv import Trigger

from refinery.bringup.graph import find_duplicate
from refinery.bringup.node_names import SAMPLER
from refinery.errors import NotReadyError, RefineryError
from refinery_msgs.srv import SampleInit
from refinery_ros.lifecycle import ManagedNode
from refinery_ros.lifecycle_process import run_lifecycle_node
from refinery_sampler_node.display.display import Display
from refinery_sampler_node.parameters import declare_parameters, read_parameters
from refinery_sampler_node.placing.arm_halt import PATIENCE_S
from refinery_sampler_node.placing.place_server import PlaceServer
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampler_resources import SamplerResources
from refinery_sampler_node.sampling.displayed_choice import DisplayedChoice
from refinery_sampler_node.sampling.sample_service import answer, refuse


class SamplerNode(ManagedNode):
    """Chooses initial states and places the arm there.

    Service and action exist from the start, so that a request to a node that is not active is answered with the reason.
    """

    shutdown_timeout_s = PATIENCE_S + 1.0

    def __init__(self) -> None:
        super().__init__(SAMPLER)
        declare_parameters(self)
        self._resources: SamplerResources | None = None
        self._active = False
        self._problem: str | None = None
        self._defect: str | None = None
        self._display = Display(self)
        self._places = PlaceServer(self, self._active_resources, self._show)
        self.create_service(SampleInit, "sample_init", self._on_sample_init)
        self.create_service(Trigger, "~/reset_estimate", self._on_reset_estimate)
        self.create_timer(1.0, self._on_status, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load bundle and profile and connect to the arm's topics."""
        try:
            self._resources = SamplerResources(self, read_parameters(self))
        except RefineryError as error:
            self._problem = str(error)
            self.get_logger().error(f"not configured: {error}")
            return TransitionCallbackReturn.FAILURE
        self._problem = None
        for sampler in self._resources.samplers:
            bundle = sampler.bundle
            self.get_logger().info(f"bundle {bundle.name!r}, task {bundle.task.name!r}, from {bundle.path}")
        return TransitionCallbackReturn.SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Serve requests, unless another node serves them."""
        assert self._resources is not None
        topics = [self._resources.profile.socket_pose_topic] + ["/clock"] * self._resources.profile.use_sim_time
        duplicate = find_duplicate(self, services=("sample_init",), actions=("place",), inputs=topics)
        if duplicate is not None:
            self._problem = duplicate
            self.get_logger().error(f"not activated: {duplicate}")
            return TransitionCallbackReturn.FAILURE
        self._problem = None
        self._active, self._defect = True, None
        self._on_status()
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring a moving arm to rest and refuse further requests."""
        self._active = False
        self._places.stop("the node was deactivated")
        self._on_status()
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Release the bundle and all connections."""
        self._release("the node was cleaned up")
        return TransitionCallbackReturn.SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Bring a moving arm to rest and release everything."""
        self._active = False
        self._release("the node was shut down")
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that raised: bring a moving arm to rest and release everything."""
        self._active = False
        self._release(self._defect or "a transition failed")
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

    @property
    def transition_problem(self) -> str | None:
        """Why the last transition failed; None if it did not."""
        return self._problem

    def begin_shutdown(self, signal_name: str) -> None:
        """Bring a moving arm to rest."""
        self._places.stop(f"the process was ended by {signal_name}")

    def _release(self, reason: str) -> None:
        self._places.stop(reason)
        resources, self._resources = self._resources, None
        if resources is not None:
            # A halt in progress needs the resources until the arm is at rest.
            self._places.when_free(resources.destroy)

    def _active_resources(self) -> SamplerResources:
        if self._resources is None:
            raise NotReadyError(
                f"no bundle is loaded: configure the node first ({self._problem or 'not configured yet'})"
            )
        if not self._active:
            raise NotReadyError(f"the node is not active: activate it (ros2 lifecycle set /{SAMPLER} activate)")
        return self._resources

    def _on_sample_init(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        try:
            return self._sample(request, response)
        except Exception as error:
            self.defect("service sample_init", error)
            return refuse(SampleInit.Response(), "INTERNAL_ERROR", self._defect or str(error))

    def _sample(self, request: SampleInit.Request, response: SampleInit.Response) -> SampleInit.Response:
        try:
            resources = self._active_resources()
        except NotReadyError as error:
            return refuse(response, "NO_BUNDLE" if self._resources is None else "NOT_ACTIVE", str(error))
        try:
            resources = resources.of_task(request.task)
        except RequestError as error:
            return refuse(response, error.code, str(error))
        chosen = answer(resources, request, response, self.get_clock().now().to_msg())
        if chosen is None:
            self.get_logger().warning(f"sample_init: {response.message}")
        else:
            self._show(chosen)
        return response

    def _on_reset_estimate(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        response.success = self._resources is not None
        if self._resources is None:
            response.message = "no bundle is loaded: configure the node first"
        else:
            response.message = f"forgot {self._resources.estimates.reset()} socket estimates"
        return response

    def _show(self, shown: DisplayedChoice) -> None:
        if self._resources is not None:
            self._display.show(shown.mixture, shown, self._resources.profile.base_frame, self._resources.correction)

    def _on_status(self) -> None:
        self._display.status(
            self._resources,
            active=self._active,
            busy=self.busy,
            last=self._places.last,
            problem=self._problem,
            defect=self._defect,
        )


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    return run_lifecycle_node(SAMPLER, SamplerNode, args)


if __name__ == "__main__":
    sys.exit(main())
