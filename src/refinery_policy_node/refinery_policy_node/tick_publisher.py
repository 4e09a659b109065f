"""Publishes every policy step with all that went into it: what a polling node saw cannot be rebuilt from topics."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata

import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode

from refinery.bundle import Bundle
from refinery.bundle.files import MANIFEST
from refinery.processor import processor
from refinery.tick.samples import Inputs, PoseSample
from refinery.tick.tick_result import TickResult
from refinery_msgs.msg import PolicyEpisode, PolicyTick
from refinery_policy_node.messages import reason_message
from refinery_policy_node.parameters import PolicyParameters
from refinery_ros.qos import RECORDING, STATUS

_COMPUTE = ("numpy", "onnxruntime")
"""Libraries whose version can change a step."""


class TickPublisher:
    """Publishes ``~/tick`` and, with the first step of an insertion, ``~/episode``.

    Args:
        node: The node.
        bundle: What runs.
        parameters: Of the node; without ``publish_ticks`` nothing is published.
        frame: The base frame.
    """

    def __init__(self, node: LifecycleNode, bundle: Bundle, parameters: PolicyParameters, frame: str) -> None:
        self._node, self._frame, self._on = node, frame, parameters.publish_ticks
        self._episode = PolicyEpisode()
        if not self._on:
            return
        self._ticks = node.create_lifecycle_publisher(PolicyTick, "~/tick", RECORDING)
        self._episodes = node.create_lifecycle_publisher(PolicyEpisode, "~/episode", STATUS)
        settings = settings_of(bundle, parameters)
        self._episode.header.frame_id = frame
        self._episode.bundle = str(bundle.path.resolve())
        self._episode.bundle_hash = hashlib.sha256((bundle.path / MANIFEST).read_bytes()).hexdigest()
        self._episode.task_hash = bundle.task.hash()
        self._episode.setting_names, self._episode.setting_values = list(settings), list(settings.values())
        self._episode.versions = [f"{name}=={importlib.metadata.version(name)}" for name in _COMPUTE]
        self._episode.processor = processor()

    def begin(self, trial_id: int, grasp: NDArray[np.float64], reference: PoseSample) -> None:
        """Note what stays the same over the insertion that begins.

        Args:
            trial_id: Of the goal.
            grasp: How the plug sits in the hand, shape (1, 3).
            reference: The socket estimate that the first ones are compared with.
        """
        episode = self._episode
        episode.episode += 1
        episode.trial_id, episode.grasp = trial_id, grasp[0]
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
        message = PolicyTick()
        message.header.stamp, message.header.frame_id = stamp, self._frame
        message.episode, message.step, message.now_s = self._episode.episode, result.step, inputs.now_s
        measured, estimate, wrench, robot = inputs.measured, inputs.estimate, inputs.wrench, inputs.robot
        message.measured_pos_m, message.measured_quat_xyzw = list(measured.pos_m), list(measured.quat_xyzw)
        message.measured_stamp_s = measured.stamp_s
        message.estimate_pos_m, message.estimate_quat_xyzw = list(estimate.pos_m), list(estimate.quat_xyzw)
        message.estimate_stamp_s = estimate.stamp_s
        message.wrench, message.wrench_stamp_s = list(wrench.wrench), wrench.stamp_s
        if robot is not None:
            message.has_robot, message.robot_mode, message.robot_errors = True, robot.mode, list(robot.errors)
            message.robot_stamp_s = robot.stamp_s
        message.wrong_frame, message.late_s, message.missed = inputs.wrong_frame, late_s, result.missed
        if result.observation is not None:
            message.observation = result.observation[0]
        if result.action is not None:
            message.acted, message.action = True, result.action
        message.target = [*result.target.xyz_m, *result.target.xyzw]
        message.level, message.reason = int(result.decision.level), reason_message(result.decision)
        self._ticks.publish(message)

    def destroy(self) -> None:
        """End the connections."""
        if self._on:
            self._node.destroy_lifecycle_publisher(self._ticks)
            self._node.destroy_lifecycle_publisher(self._episodes)


def settings_of(bundle: Bundle, parameters: PolicyParameters) -> dict[str, float]:
    """Return everything that shapes a step beside bundle and inputs, by name."""
    guard = dataclasses.asdict(parameters.guard_settings(bundle.task))
    tolerance = dataclasses.asdict(parameters.start_tolerance(bundle.task))
    named = {f"guard.{name}": float(value) for name, value in guard.items()}
    named |= {f"start.{name}": float(value) for name, value in tolerance.items()}
    return named | {"fade_in_s": parameters.fade_in_s, "command_rate_hz": parameters.command_rate_hz}
