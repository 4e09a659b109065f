"""The sampler, free of ROS: initial states of a bundle that an arm can reach."""

from __future__ import annotations

import numpy as np

from refinery.bundle import Bundle
from refinery.initial_state import GRASP
from refinery.kinematics import ArmKinematics
from refinery.rotations import Array, Poses
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampling.initial_state_chooser import Choice, InitialStateChooser, UnreachableError
from refinery_sampler_node.sampling.reachability import Reachability
from refinery_sampler_node.sampling.requests import SampleRequest, check_request


class Sampler:
    """Serves requests for initial states from one bundle.

    Args:
        bundle: Has the task, the mixture and the success model.
        kinematics: Kinematics of the arm.
        home_rad: Home joints, seed of the inverse kinematics, shape (7,), [rad].
        max_count: Largest count of one request.
        min_distance: Smallest distance of the best initial states, in shares of the deployment box's edges.
        limit_margin_rad: Smallest distance to joint limits, [rad].
    """

    def __init__(
        self,
        bundle: Bundle,
        kinematics: ArmKinematics,
        home_rad: Array,
        *,
        max_count: int = 1000,
        min_distance: float = 0.1,
        limit_margin_rad: float = 0.05,
    ) -> None:
        states = bundle.initial_states
        self.bundle = bundle
        self.reachability = Reachability(
            bundle.task, bundle.part, kinematics, home_rad, limit_margin_rad=limit_margin_rad
        )
        self._max_count = max_count
        self._chooser = InitialStateChooser(
            states.mixture, states.success_model, bundle.task.initial_state.deployed, distance=min_distance
        )

    def check(self, request: SampleRequest) -> None:
        """Check a request before its socket pose is determined; raises RequestError."""
        check_request(request, loaded_task=self.bundle.task, max_count=self._max_count)

    @property
    def grasp_is_free(self) -> bool:
        """Whether the task leaves the grasp open, so that each initial state requires a grasp of its own."""
        return bool(np.isin(np.arange(GRASP.start, GRASP.stop), self.bundle.task.initial_state.deployed.free).any())

    def sample(
        self, request: SampleRequest, socket: Poses, *, require_reachable: bool, alternatives: int = 0
    ) -> Choice:
        """Choose initial states.

        Args:
            request: Count, mode and seed.
            socket: Socket estimate in the base frame, batch of one.
            require_reachable: Choose only states that the arm can reach.
            alternatives: Number of further states, should the first ones fail.

        Returns:
            The initial states; ``reach`` is set if ``require_reachable``.

        Raises:
            RequestError: The request is not acceptable or too few states are reachable.
        """
        self.check(request)
        reachable = (lambda theta: self.reachability.check(theta, socket)) if require_reachable else None
        try:
            return self._chooser.choose(
                request.mode, request.count, request.seed, reachable=reachable, alternatives=alternatives
            )
        except UnreachableError as error:
            raise RequestError("UNREACHABLE", str(error)) from None
