"""One trial: its random draws (from its seed) and the ground truth, which no policy sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from refinery.initial_state import theta_of
from refinery.rotations import Array, Poses
from refinery.success import PlugOffset, engaged, plug_offset, strict
from refinery.task import Task
from refinery_sim.section import symmetry
from refinery_twin.estimates import ESTIMATES_PER_POLICY_STEP, SocketEstimator


@dataclass(frozen=True, kw_only=True)
class TrialDraw:
    """Everything random about a trial; frames: base. The distributions are those of the training episodes."""

    seed: int
    """Seed it was drawn from."""
    socket: Poses
    """True socket pose, batch of one."""
    estimate: Poses
    """Socket pose as estimated without jitter: truth plus bias, batch of one."""
    control_bias_m: Array
    """Error of the commanded tool position, shape (3,), [m]."""
    friction: float
    """Sliding friction coefficient between plug and socket."""
    estimator: SocketEstimator
    """Source of the noisy estimates."""


def draw_trial(task: Task, seed: int, bias_seed: int = -1) -> TrialDraw:
    """Draw a trial.

    Args:
        task: Ranges and noise levels.
        seed: Equal seeds give equal trials, >= 0.
        bias_seed: Seed of the estimate's bias, so that trials can share it; negative: ``seed``.

    Returns:
        The trial's socket, biases, friction and source of estimates.
    """
    rng = np.random.default_rng(seed)
    noise, spec = task.noise, task.socket
    xyz = np.asarray(spec.nominal_xyz_m) + rng.uniform(-1, 1, 3) * np.asarray(spec.range_xyz_m)
    yaw = float(rng.uniform(-1, 1)) * spec.range_yaw_rad
    bias = np.append(rng.normal(0, noise.estimate_bias_m, 2), 0.0)
    yaw_bias = float(rng.normal(0, noise.estimate_bias_yaw_rad))
    control_bias = rng.normal(0, noise.control_bias_m, 3)
    if bias_seed >= 0:
        shared = np.random.default_rng([bias_seed, 1])
        bias = np.append(shared.normal(0, noise.estimate_bias_m, 2), 0.0)
        yaw_bias = float(shared.normal(0, noise.estimate_bias_yaw_rad))
    estimate = Poses.from_xyz_rpy(xyz + bias, (0.0, 0.0, yaw + yaw_bias))
    return TrialDraw(
        seed=seed,
        socket=Poses.from_xyz_rpy(xyz, (0.0, 0.0, yaw)),
        estimate=estimate,
        control_bias_m=control_bias,
        friction=spec.friction + float(rng.uniform(-1, 1)) * spec.friction_range,
        estimator=SocketEstimator(unjittered=estimate, jitter_m=noise.estimate_jitter_m, seed=seed),
    )


@dataclass(frozen=True, kw_only=True)
class Truth:
    """Ground truth of a trial so far."""

    strict: bool
    """Seated now: depth, lateral and angle within the task's tolerances."""
    engaged: bool
    """The lenient test of the released code, passed at any step since the hand-over."""
    errors: PlugOffset
    """Plug against seat, now."""
    theta: Array | None
    """Plug in the estimated socket frame (bias, no jitter) at hand-over, and grasp, shape (9,), [m] and [rad]; None
    before it."""
    max_contact_force_n: float
    """Largest net contact force between plug and socket since the trial began, [N]."""


class Trial:
    """Records the ground truth of one trial.

    Args:
        task: The task, with its success test.
        draw: The trial's random draws.
        grasp: How the plug sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`.
        begun_s: Time of the cell, [s].
    """

    def __init__(self, task: Task, draw: TrialDraw, grasp: Array, begun_s: float = 0.0) -> None:
        self._task = task
        self._grasp = grasp
        self._step = self._attempt = 0
        self.since_s = begun_s
        """Time of the last hand-over, or of the beginning, from which estimates are counted, [s]."""
        self.draw = draw
        """Random draws of the trial."""
        self._theta: Array | None = None
        self._engaged = False
        self._max_force_n = 0.0

    def hand_over(self, plug: Poses, now_s: float = 0.0, step: int = 0) -> None:
        """Record a hand-over to the policy.

        Args:
            plug: Where the plug is, base frame, batch of one.
            now_s: Time of the cell, [s].
            step: Index of the step of an assembly.
        """
        self._attempt = self._attempt + 1 if step == self._step else 1
        self._step, self.since_s = step, now_s
        self._theta = theta_of(self.draw.estimate, plug, self._grasp)[0]
        self._engaged = False

    def estimate(self, now_s: float) -> Poses:
        """Return the socket estimate of a moment (time of the cell, [s]), batch of one."""
        rate_hz = ESTIMATES_PER_POLICY_STEP * self._task.control.policy_rate_hz
        # Estimates come on a grid from since_s on, each up to a state's period late.
        tick = max(0, int((now_s - self.since_s) * rate_hz + 1e-6))
        return self.draw.estimator.at(step=self._step, attempt=self._attempt, tick=tick)

    def observe_force(self, force_n: float) -> None:
        """Record a net contact force, [N]."""
        self._max_force_n = max(self._max_force_n, force_n)

    def observe_plug(self, plug: Poses) -> None:
        """Record the plug's true pose (base frame, batch of one), once per policy period after the hand-over."""
        if self._theta is not None:
            spec = self._task.success
            self._engaged |= bool(engaged(self.draw.socket, plug, spec, self._task.rim_height_m)[0])

    def truth(self, plug: Poses) -> Truth:
        """Return the ground truth with the plug at ``plug`` (base frame, batch of one)."""
        self.observe_plug(plug)
        errors = plug_offset(self.draw.socket, plug, symmetry(self._task.plug.section))
        return Truth(
            strict=bool(strict(errors, self._task.success)[0]),
            engaged=self._engaged,
            errors=errors,
            theta=self._theta,
            max_contact_force_n=self._max_force_n,
        )
