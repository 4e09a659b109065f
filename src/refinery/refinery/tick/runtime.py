"""The policy tick, ROS-free: latest samples in, one bounded target out, by the code the policy was trained with."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import Bundle
from refinery.errors import BundleError
from refinery.initial_state import theta_of
from refinery.observation import OBSERVATION_SIZE
from refinery.rotations import Poses
from refinery.tick.decoder import Action, OneActionDecoder
from refinery.tick.encoder import OneObservationEncoder, floats_of
from refinery.tick.guard import (
    EstimateScreen,
    Guard,
    GuardDecision,
    GuardSettings,
    Level,
    OutOfDistributionDetector,
    Reason,
)
from refinery.tick.guard.estimates import nearest
from refinery.tick.pose import Pose
from refinery.tick.recording import Recorder
from refinery.tick.samples import Inputs, PoseSample
from refinery.tick.start_check import StartTolerance, check_start
from refinery.tick.tick_result import TickResult
from refinery.tick.timing import StepTimes

_AS_INTENDED = np.zeros((1, 3))
_NO_ACTION: Action = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
_ACTION_SIZE = len(_NO_ACTION)


class PolicyRuntime:
    """Runs the policy of a bundle, one episode after the other.

    Args:
        bundle: A checked bundle.
        settings: Thresholds of the guard; the defaults of the task if None.
        tolerance: How far outside the deployment box an insertion may start; the defaults of the task if None.
        fade_in_s: The actions grow from nothing to full for this long, [s].
    """

    def __init__(
        self,
        bundle: Bundle,
        settings: GuardSettings | None = None,
        tolerance: StartTolerance | None = None,
        fade_in_s: float = 0.0,
    ) -> None:
        self.task, self.part = bundle.task, bundle.part
        self.period_s = 1.0 / bundle.task.control.policy_rate_hz
        self.policy = bundle.open_policy()
        self.guard = Guard(bundle.task, settings or GuardSettings.for_task(bundle.task))
        self.estimates = EstimateScreen(self.guard.settings, bundle.part.symmetry)
        self.times = StepTimes()
        self.recorder: Recorder | None = None
        self._tolerance = tolerance or StartTolerance.for_task(bundle.task)
        self._encoder = OneObservationEncoder(bundle.task)
        self._decoder = OneActionDecoder(bundle.task.control, Pose.of(bundle.task.plug.tool_from_plug))
        self._known = OutOfDistributionDetector(bundle.envelope) if bundle.envelope is not None else None
        self._observation = self.policy.observation
        self._observation_view = floats_of(self._observation)
        self._fade_steps = round(fade_in_s / self.period_s)
        self._step = 0
        self._steps = bundle.task.control.episode_steps
        self._running = False
        self._last_step_s = 0.0
        self.socket: Pose | None = None
        """Running mean of the socket estimates of this episode, base frame."""

    @property
    def steps(self) -> int:
        """Ticks of a full episode."""
        return self._steps

    def check_start(self, inputs: Inputs, grasp: NDArray[np.float64] | None = None) -> GuardDecision:
        """Tell whether an insertion may start from here, without starting it.

        Args:
            inputs: Latest samples.
            grasp: How the plug sits in the hand, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`,
                [m, m, rad]; None is as intended.

        Returns:
            OK, or the reason to refuse; a refusal is not latched, for nothing has moved.
        """
        return self._accept(inputs, _AS_INTENDED if grasp is None else grasp)[0]

    def start(
        self, inputs: Inputs, grasp: NDArray[np.float64] | None = None, reference: PoseSample | None = None
    ) -> GuardDecision:
        """Begin an episode at the measured pose; the first :meth:`tick` follows with the same inputs.

        Args:
            inputs: As for :meth:`check_start`.
            grasp: As for :meth:`check_start`; it counts for the whole episode.
            reference: Socket estimate that is known to be good; one in ``inputs`` that contradicts it is left out.

        Returns:
            As :meth:`check_start`; the episode has begun only if it is OK.
        """
        grasp = _AS_INTENDED if grasp is None else grasp
        self.estimates.reset(reference)
        decision, inputs = self._accept(self._screened(inputs, None), grasp)
        if decision.level is not Level.OK:
            return decision
        self.estimates.reset(inputs.estimate)
        tool_from_plug = Pose.of(self.task.plug.tool_from_plug_at(grasp))
        self.guard.start(tool_from_plug)
        # The guard must know a pose to hold at before the first tick, whatever that tick brings.
        self.guard.begin(inputs)
        measured = inputs.measured.pose()
        self._encoder.reset(measured, tool_from_plug)
        self._decoder.reset(measured)
        self.policy.reset()
        if self._known is not None:
            self._known.reset()
        self.times.clear()
        self._step, self._last_step_s, self.socket = 0, 0.0, None
        self._running = True
        if self.recorder is not None:
            self.recorder.begin(grasp)
        return decision

    def tick(self, inputs: Inputs, *, late_s: float = 0.0, missed: bool | None = None) -> TickResult:
        """Run one policy step.

        Args:
            inputs: Latest samples.
            late_s: By how much this tick starts after its time, [s].
            missed: Whether it counts as late; measured if None (a replay knows it).

        Raises:
            RuntimeError: No episode has begun.
        """
        if not self._running:
            raise RuntimeError("tick() before start()")
        begin_s = time.perf_counter()
        guard, decoder = self.guard, self._decoder
        deadline_s = guard.settings.deadline_s
        if missed is None:
            missed = self._last_step_s > deadline_s or late_s > deadline_s
        self._step += 1
        inputs = self._screened(inputs, self.socket)
        guard.begin(inputs, self.socket, missed_deadline=missed)
        if self.estimates.problem:
            guard.stop(Reason.SOCKET_ESTIMATE_LOST, self.estimates.problem)
        observation: NDArray[np.float32] | None = None
        action: list[float] | None = None
        if guard.decision.level is Level.OK and self._observe(inputs):
            observation = self._observation
            action = self._act(inputs)
        target = guard.command(None if action is None else decoder.target, self.socket)
        decision = guard.decision
        if decision.level is Level.OK:
            # The spring is stretched to what was commanded, which is what the next observation must say.
            decoder.target = target
        else:
            decoder.reset(target)
        result = TickResult(
            target=target,
            decision=decision,
            step=self._step,
            done=self._step >= self._steps or decision.level is Level.STOP,
            observation=observation,
            action=action,
            missed=missed,
        )
        if self.recorder is not None:
            self.recorder.add(inputs, result)
        self._last_step_s = time.perf_counter() - begin_s
        self.times.add(self._last_step_s, missed=missed)
        return result

    def end(self) -> None:
        """End the episode; :meth:`tick` needs a new :meth:`start`."""
        self._running = False

    def _screened(self, inputs: Inputs, mean: Pose | None) -> Inputs:
        """Replace a socket estimate that contradicts those before it, whose mean is given."""
        return inputs.with_estimate(self.estimates.screen(inputs.estimate, mean))

    def _accept(self, inputs: Inputs, grasp: NDArray[np.float64]) -> tuple[GuardDecision, Inputs]:
        """Judge a start; the inputs come back with the way round of the socket, if there are several, that fits it."""
        if not self.guard.armed:
            return self.guard.latched, inputs
        tool_from_plug = self.task.plug.tool_from_plug_at(grasp)
        decision = Guard(self.task, self.guard.settings, Pose.of(tool_from_plug)).begin(inputs)
        if decision.level is not Level.OK:
            return decision, inputs
        message = self._misplaced(inputs, tool_from_plug, grasp)
        if message and (other := self._facing_plug(inputs, tool_from_plug)) is not inputs:
            again = self._misplaced(other, tool_from_plug, grasp)
            message, inputs = (again, inputs) if again else ("", other)
        message = message or self._first_sight(inputs, tool_from_plug)
        if message:
            decision = GuardDecision(level=Level.STOP, reason=Reason.OUT_OF_DISTRIBUTION, message=message)
        return decision, inputs

    def _misplaced(self, inputs: Inputs, tool_from_plug: Poses, grasp: NDArray[np.float64]) -> str:
        """Where the plug is outside the deployment box; empty if it is inside."""
        theta = theta_of(inputs.estimate.pose().batch(), inputs.measured.pose().batch() @ tool_from_plug, grasp)
        return check_start(theta, self.task, self._tolerance)

    def _facing_plug(self, inputs: Inputs, tool_from_plug: Poses) -> Inputs:
        """Turn the socket to the way round that is nearest to the plug."""
        plug = Pose.of(inputs.measured.pose().batch() @ tool_from_plug)
        return inputs.with_estimate(nearest(inputs.estimate, plug, self.part.symmetry, 0.0))

    def _observe(self, inputs: Inputs) -> bool:
        """Write the observation to where the policy reads it; returns whether it is one of numbers."""
        self.socket = self._encoder.filter_socket(inputs.estimate.pose())
        decoder, view = self._decoder, self._observation_view
        self._encoder.encode(inputs.measured.pose(), self.socket, decoder.target, decoder.smoothed, view)
        return self.guard.check_numbers("observation", Reason.OBSERVATION_INVALID, view, OBSERVATION_SIZE)

    def _act(self, inputs: Inputs) -> list[float] | None:
        """Ask the policy and move the decoder's target; None if the guard refuses observation or answer."""
        if self._known is not None and (problem := self._known.watch(self._observation)):
            self.guard.stop(Reason.OUT_OF_DISTRIBUTION, problem)
            return None
        try:
            action = self.policy.infer()
        except BundleError as error:
            self.guard.stop(Reason.ACTION_INVALID, str(error))
            return None
        if not self.guard.check_numbers("action", Reason.ACTION_INVALID, action, _ACTION_SIZE):
            return None
        assert self.socket is not None
        a, b, c, d, e, f = action
        if self._fade_steps > 0:
            share = min(1.0, self._step / (self._fade_steps + 1))
            a, b, c, d, e, f = share * a, share * b, share * c, share * d, share * e, share * f
        self._decoder.decode((a, b, c, d, e, f), inputs.measured.pose(), self.socket)
        return action

    def _first_sight(self, inputs: Inputs, tool_from_plug: Poses) -> str:
        """What is strange about the first observation of an episode that would start here; empty if nothing is."""
        if self._known is None:
            return ""
        measured, encoder = inputs.measured.pose(), OneObservationEncoder(self.task)
        encoder.reset(measured, Pose.of(tool_from_plug))
        observation = np.zeros(OBSERVATION_SIZE, dtype=np.float32)
        socket = encoder.filter_socket(inputs.estimate.pose())
        encoder.encode(measured, socket, measured, _NO_ACTION, floats_of(observation))
        return self._known.check_start(observation)
