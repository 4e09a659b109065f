"""Publishes every policy step with all that went into it: what a polling node saw cannot be rebuilt from topics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode

from refinery.bundle import Bundle
from refinery.tick.samples import Inputs, PoseSample
from refinery.tick.tick_result import TickResult
from refinery_msgs.msg import PolicyEpisode, PolicyTick
from refinery_policy_node.parameters import PolicyParameters
from refinery_policy_node.tick_messages import episode_message, tick_message
from refinery_ros.qos import RECORDING, STATUS


class TickPublisher:
    """Publishes ``~/tick`` and, with the first step of an insertion, ``~/episode``.

    Args:
        node: The node.
        bundle: What runs first.
        parameters: Of the node; without ``publish_ticks`` nothing is published.
        frame: The base frame.
    """

    def __init__(self, node: LifecycleNode, bundle: Bundle, parameters: PolicyParameters, frame: str) -> None:
        self._node, self._frame, self._on = node, frame, parameters.publish_ticks
        self._parameters = parameters
        self._episode = PolicyEpisode()
        if not self._on:
            return
        self.run(bundle)
        self._ticks = node.create_lifecycle_publisher(PolicyTick, "~/tick", RECORDING)
        self._episodes = node.create_lifecycle_publisher(PolicyEpisode, "~/episode", STATUS)

    def run(self, bundle: Bundle) -> None:
        """Say of the next insertions that they run another bundle; their numbers go on."""
        if not self._on:
            return
        number = self._episode.episode
        self._episode = episode_message(bundle, self._parameters)
        self._episode.header.frame_id, self._episode.episode = self._frame, number

    def begin(self, trial_id: int, grasp: NDArray[np.float64], reference: PoseSample) -> None:
        """Note what stays the same over the insertion that begins.

        Args:
            trial_id: Of the goal.
            grasp: How the plug sits in the hand, shape (1, 3).
            reference: The socket estimate that the first ones are compared with.
        """
        episode = self._episode
        episode.episode += 1
        episode.trial_id, episode.grasp = trial_id, grasp[0].tolist()
        episode.reference_pos_m, episode.reference_quat_xyzw = list(reference.pos_m), list(reference.quat_xyzw)
        episode.reference_stamp_s = reference.stamp_s

    def publish(self, inputs: Inputs, result: TickResult, late_s: float) -> None:
        """Publish one step; to be called when its target is out."""
        if not self._on:
            return
        stamp = self._node.get_clock().now().to_msg()
        if result.step == 1:
            self._episode.header.stamp = stamp
            self._episodes.publish(self._episode)
        message = tick_message(inputs, result, late_s)
        message.header.stamp, message.header.frame_id, message.episode = stamp, self._frame, self._episode.episode
        self._ticks.publish(message)

    def destroy(self) -> None:
        """End the connections."""
        if self._on:
            self._node.destroy_lifecycle_publisher(self._ticks)
            self._node.destroy_lifecycle_publisher(self._episodes)
