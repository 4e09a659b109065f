"""The lifecycle node ``refinery_assembly``: the action ``assemble``, and the socket pose of the step in progress."""

from __future__ import annotations

import sys

from rclpy.lifecycle import LifecycleState, TransitionCallbackReturn

from refinery.bringup.graph import find_duplicate
from refinery.bringup.node_names import ASSEMBLY
from refinery.errors import NotReadyError, RefineryError
from refinery_assembly_node.assemble_server import AssembleServer
from refinery_assembly_node.assembly_resources import AssemblyResources
from refinery_assembly_node.parameters import declare_parameters, read_parameters
from refinery_ros.lifecycle import ManagedNode
from refinery_ros.lifecycle_process import run_lifecycle_node

_SUCCESS, _FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE


class AssemblyNode(ManagedNode):
    """Chains the other nodes' actions into an assembly.

    The action exists from the start, so that a request to a node that is not active is answered with the reason.
    """

    shutdown_timeout_s = 40.0

    def __init__(self) -> None:
        super().__init__(ASSEMBLY)
        declare_parameters(self)
        self._resources: AssemblyResources | None = None
        self._active = False
        self._problem: str | None = None
        self._server = AssembleServer(self, self._active_resources)

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load sequence and bundles, open the journal, connect, and publish the first socket pose."""
        try:
            self._resources = AssemblyResources(
                self, read_parameters(self), tick=self._server.tick, stopped=lambda: self._server.stopped
            )
        except RefineryError as error:
            return self._refuse(str(error))
        sequence, journal = self._resources.sequence, self._resources.journal
        self.get_logger().info(f"sequence {sequence.name!r} ({sequence.hash()[:12]}), journal {journal.path}")
        for run in journal.runs():
            if (found := journal.open_intent(run)) is not None:
                step = sequence.steps[found[0].step].name
                self.get_logger().warning(f"run {run!r} was interrupted in step {step!r} and can be resumed")
        self._problem = None
        return _SUCCESS

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Serve requests, unless another node serves them."""
        if duplicate := find_duplicate(self, actions=("assemble",)):
            return self._refuse(duplicate)
        self._problem, self._active = None, True
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End a run in progress and refuse further requests."""
        self._active = False
        self._server.stop("the node was deactivated")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Close the journal and disconnect; refused while a run ends."""
        if self._server.busy:
            return self._refuse("a run is still ending; try again when it has")
        self._release()
        return _SUCCESS

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """End a run in progress."""
        self._active = False
        self._server.stop("the node was shut down")
        if not self._server.busy:
            self._release()
        return _SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """After a transition that raised: end a run in progress."""
        return self.on_shutdown(state)

    def on_defect(self, where: str, error: Exception) -> None:
        """End a run in progress; the journal knows where it stands."""
        self._server.stop(f"a defect in {where}, {type(error).__name__}: {error}; see the node's log")

    @property
    def busy(self) -> bool:
        """Whether a run is in progress."""
        return self._server.busy

    @property
    def transition_problem(self) -> str | None:
        """Why the last transition failed; None if it did not."""
        return self._problem

    def begin_shutdown(self, signal_name: str) -> None:
        """End a run in progress: its goals are cancelled, and the arm comes to rest with what it holds."""
        self._server.stop(f"the process was ended by {signal_name}")

    def _active_resources(self) -> AssemblyResources:
        if self._resources is None:
            raise NotReadyError(f"no sequence is loaded: configure the node ({self._problem or 'not yet'})")
        if not self._active:
            raise NotReadyError(f"the node is not active: activate it (ros2 lifecycle set /{ASSEMBLY} activate)")
        return self._resources

    def _release(self) -> None:
        resources, self._resources = self._resources, None
        if resources is not None:
            resources.destroy()

    def _refuse(self, problem: str) -> TransitionCallbackReturn:
        self._problem = problem
        self.get_logger().error(problem)
        return _FAILURE


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    return run_lifecycle_node(ASSEMBLY, AssemblyNode, args)


if __name__ == "__main__":
    sys.exit(main())
