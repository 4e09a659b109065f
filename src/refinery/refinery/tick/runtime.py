"""The policy tick, ROS-free: latest samples in, one bounded target out, by the code the policy was trained with."""

from __future__ import annotations

import dataclasses
import time

import numpy as np
from numpy.typing import NDArray

from refinery.action import OneActionDecoder
from refinery.bundle import Bundle
from refinery.errors import BundleError
from refinery.initial_state import theta_of
from refinery.observation import OneObservationEncoder
from refinery.rotations import OnePose, Poses
from refinery.tick.guard import EnvelopeCheck, EstimateScreen, Guard, GuardSettings, Level, Reason, Verdict
from refinery.tick.guard.estimates import nearest
from refinery.tick.recording import Recorder
from refinery.tick.samples import Inputs, PoseSample
from refinery.tick.start_check import StartTolerance, check_start
from refinery.tick.tick_result import TickResult
from refinery.tick.timing import StepTimes

_AS_INTENDED = np.zeros((1, 3))


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
        self._decoder = OneActionDecoder(bundle.task.control, bundle.task.plug.tool_from_plug)
        self._envelope = EnvelopeCheck(bundle.envelope) if bundle.envelope is not None else None
        self._fade_steps = round(fade_in_s / self.period_s)
        self._step = 0
        self._running = False
        self._last_step_s = 0.0
        self.socket: OnePose | None = None
        """Running mean of the socket estimates of this episode, base frame."""

    @property
    def steps(self) -> int:
        """Ticks of a full episode."""
        return self.task.control.episode_steps

    def check_start(self, inputs: Inputs, grasp: NDArray[np.float64] | None = None) -> Verdict:
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
    ) -> Verdict:
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
        verdict, inputs = self._accept(self._screened(inputs, None), grasp)
        if verdict.level is not Level.OK:
            return verdict
        self.estimates.reset(inputs.estimate)
        self.guard.start(self.task.plug.tool_from_plug_at(grasp))
        # The guard must know a pose to hold at before the first tick, whatever that tick brings.
        self.guard.begin(inputs)
        measured = inputs.measured.poses()
        self._encoder.reset(measured, grasp=grasp)
        self._restart_action(measured)
        self.policy.reset()
        if self._envelope is not None:
            self._envelope.reset()
        self.times.clear()
        self._step, self._last_step_s, self.socket = 0, 0.0, None
        self._running = True
        if self.recorder is not None:
            self.recorder.begin(grasp)
        return verdict

    def tick(self, inputs: Inputs, *, late_s: float = 0.0) -> TickResult:
        """Run one policy step.

        Args:
            inputs: Latest samples.
            late_s: By how much this tick starts after its time, [s].

        Raises:
            RuntimeError: No episode has begun.
        """
        if not self._running:
            raise RuntimeError("tick() before start()")
        begin_s = time.perf_counter()
        deadline_s = self.guard.settings.deadline_s
        missed = self._last_step_s > deadline_s or late_s > deadline_s
        self._step += 1
        inputs = self._screened(inputs, self.socket)
        self.guard.begin(inputs, self.socket, missed_deadline=missed)
        if self.estimates.problem:
            self.guard.stop(Reason.SOCKET_ESTIMATE_LOST, self.estimates.problem)
        observation, action = self._think(inputs) if self.guard.verdict.level is Level.OK else (None, None)
        target = self.guard.command(None if action is None else self._decoder.target, self.socket)
        verdict = self.guard.verdict
        if verdict.level is Level.OK:
            # The spring is stretched to what was commanded, which is what the next observation must say.
            self._decoder.target = OnePose.of(target)
        else:
            self._restart_action(target)
        result = TickResult(
            target=target,
            verdict=verdict,
            step=self._step,
            done=self._step >= self.steps or verdict.level is Level.STOP,
            observation=observation,
            action=action,
        )
        if self.recorder is not None:
            self.recorder.add(inputs, result)
        self._last_step_s = time.perf_counter() - begin_s
        self.times.add(self._last_step_s, missed=missed)
        return result

    def end(self) -> None:
        """End the episode; :meth:`tick` needs a new :meth:`start`."""
        self._running = False

    def _screened(self, inputs: Inputs, mean: OnePose | None) -> Inputs:
        """Replace a socket estimate that contradicts those before it, whose mean is given."""
        estimate = self.estimates.screen(inputs.estimate, mean)
        return inputs if estimate is inputs.estimate else dataclasses.replace(inputs, estimate=estimate)

    def _accept(self, inputs: Inputs, grasp: NDArray[np.float64]) -> tuple[Verdict, Inputs]:
        """Judge a start; the inputs come back with the way round of the socket, if there are several, that fits it."""
        if not self.guard.armed:
            return self.guard.latched, inputs
        tool_from_plug = self.task.plug.tool_from_plug_at(grasp)
        verdict = Guard(self.task, self.guard.settings, tool_from_plug).begin(inputs)
        if verdict.level is not Level.OK:
            return verdict, inputs
        message = self._misplaced(inputs, tool_from_plug, grasp)
        if message and (other := self._facing_plug(inputs, tool_from_plug)) is not inputs:
            again = self._misplaced(other, tool_from_plug, grasp)
            message, inputs = (again, inputs) if again else ("", other)
        message = message or self._first_sight(inputs, grasp)
        if message:
            verdict = Verdict(level=Level.STOP, reason=Reason.OUT_OF_DISTRIBUTION, message=message)
        return verdict, inputs

    def _misplaced(self, inputs: Inputs, tool_from_plug: Poses, grasp: NDArray[np.float64]) -> str:
        """Where the plug is outside the deployment box; empty if it is inside."""
        theta = theta_of(inputs.estimate.poses(), inputs.measured.poses() @ tool_from_plug, grasp)
        return check_start(theta, self.task, self._tolerance)

    def _facing_plug(self, inputs: Inputs, tool_from_plug: Poses) -> Inputs:
        """Turn the socket to the way round that is nearest to the plug."""
        plug = OnePose.of(inputs.measured.poses() @ tool_from_plug)
        estimate = nearest(inputs.estimate, plug, self.part.symmetry, 0.0)
        return inputs if estimate is inputs.estimate else dataclasses.replace(inputs, estimate=estimate)

    def _think(self, inputs: Inputs) -> tuple[NDArray[np.float32] | None, NDArray[np.float64] | None]:
        """Observe, ask the policy, move the decoder's target; None for whatever the guard refuses."""
        measured = inputs.measured.poses()
        self.socket = self._encoder.filter_socket(inputs.estimate.poses())
        values = self._encoder.encode(measured, self.socket, self._decoder.target, self._decoder.smoothed)
        observation = np.array([values], dtype=np.float32)
        shape = (1, self.policy.observation_size)
        if not self.guard.check_vector("observation", Reason.OBSERVATION_INVALID, observation, shape):
            return None, None
        if self._envelope is not None and (problem := self._envelope.watch(observation)):
            self.guard.stop(Reason.OUT_OF_DISTRIBUTION, problem)
            return observation, None
        try:
            action = self.policy(observation)
        except BundleError as error:
            self.guard.stop(Reason.ACTION_INVALID, str(error))
            return observation, None
        if not self.guard.check_vector("action", Reason.ACTION_INVALID, action, (1, 6)):
            return observation, None
        share = min(1.0, self._step / (self._fade_steps + 1))
        self._decoder.decode([share * value for value in action[0].tolist()], measured, self.socket)
        return observation, action

    def _first_sight(self, inputs: Inputs, grasp: NDArray[np.float64]) -> str:
        """What is strange about the first observation of an episode that would start here; empty if nothing is."""
        if self._envelope is None:
            return ""
        measured, encoder = inputs.measured.poses(), OneObservationEncoder(self.task)
        encoder.reset(measured, grasp=grasp)
        socket = encoder.filter_socket(inputs.estimate.poses())
        values = encoder.encode(measured, socket, OnePose.of(measured), [0.0] * 6)
        return self._envelope.check_start(np.array(values, dtype=np.float32))

    def _restart_action(self, measured: Poses) -> None:
        self._decoder = OneActionDecoder(self.task.control, measured)
