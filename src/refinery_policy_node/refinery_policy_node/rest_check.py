"""Measures an arm at rest before it is commanded: the offset of its wrench, and the socket's pose."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode
from rclpy.task import Future

from refinery.task import Task
from refinery.tick.guard import GuardDecision, GuardSettings, Level, Reason
from refinery.tick.guard.estimates import consensus
from refinery.tick.guard.rest import at_rest, judge_offset, wrench_offset
from refinery.tick.samples import Inputs
from refinery_policy_node.topics import RobotTopics

_POLL_S = 0.02
_SAMPLES = 5
"""Samples of the wrench to judge by."""
_ESTIMATES = 3
"""Estimates of the socket to judge by, if they arrive fast enough: one of them may be wrong."""
_TIMEOUT_S = 0.4
"""Longest measurement, steady clock, [s]."""


class RestMeasurement:
    """Collects samples for a fraction of a second.

    Args:
        topics: Source of the samples.
    """

    def __init__(self, topics: RobotTopics) -> None:
        self._topics = topics
        self._end_s = time.monotonic() + _TIMEOUT_S
        self.samples: list[Inputs] = []
        """The samples, oldest first."""

    def take(self) -> bool:
        """Take a sample; returns whether there are enough or the time is over."""
        inputs = self._topics.inputs()
        if inputs is not None:
            self.samples.append(inputs)
        estimates = len({sample.estimate.stamp_s for sample in self.samples})
        enough = len(self.samples) >= _SAMPLES and estimates >= _ESTIMATES
        return enough or time.monotonic() > self._end_s

    async def run(self, node: LifecycleNode) -> list[Inputs]:
        """Collect without blocking the executor; returns the samples."""
        while not self.take():
            await pause(node, _POLL_S)
        return self.samples

    def run_blocking(self) -> list[Inputs]:
        """The same from inside a transition."""
        while not self.take():
            time.sleep(_POLL_S)
        return self.samples


def check_offset(node: LifecycleNode, samples: Sequence[Inputs], task: Task, settings: GuardSettings) -> GuardDecision:
    """Judge the wrench of an arm at rest; a noticeable offset is logged.

    Args:
        node: Its logger takes the warning.
        samples: Samples of an arm that should be at rest.
        task: Limits of the wrench.
        settings: Shares of the limits at which to warn and to refuse.

    Returns:
        OK, or why the wrench limit cannot be relied on; OK for a moving arm, whose offset cannot be measured.
    """
    if not samples or not at_rest(samples):
        return GuardDecision()
    offset = wrench_offset(samples, task.limits.max_wrench)
    decision = judge_offset(offset, settings.wrench_offset_refuse_share)
    if decision.level is Level.OK and offset.share > settings.wrench_offset_warn_share:
        node.get_logger().warning(offset.message)
    return decision


def agreed(samples: Sequence[Inputs], settings: GuardSettings, symmetry: int) -> tuple[Inputs | None, GuardDecision]:
    """Return the newest sample with the socket estimate that the majority supports, or why there is none.

    Args:
        samples: Samples of a cell at rest, oldest first.
        settings: Limits within which estimates agree.
        symmetry: Order of the part's rotational symmetry.
    """
    if not samples:
        return None, GuardDecision(
            level=Level.STOP, reason=Reason.TOPIC_MISSING, message="no message yet on some topic"
        )
    estimates = list({sample.estimate.stamp_s: sample.estimate for sample in samples}.values())
    estimate = consensus(estimates, settings, symmetry)
    if estimate is None:
        newest = samples[-1]
        if not newest.estimate.is_pose(settings.quaternion_tolerance):
            # The guard reports what is wrong with it.
            return newest, GuardDecision()
        message = (
            f"socket estimate: expected most of {len(estimates)} within {1e3 * settings.estimate_jump_m:g} mm and "
            f"{settings.estimate_jump_rad:g} rad of each other, got no majority"
        )
        return None, GuardDecision(level=Level.STOP, reason=Reason.SOCKET_ESTIMATE_LOST, message=message)
    return samples[-1].with_estimate(estimate), GuardDecision()


async def pause(node: LifecycleNode, duration_s: float) -> None:
    """Wait by the steady clock without blocking the executor."""
    over = Future()
    timer = node.create_timer(duration_s, lambda: over.set_result(None), clock=Clock(clock_type=ClockType.STEADY_TIME))
    try:
        await over
    finally:
        node.destroy_timer(timer)
