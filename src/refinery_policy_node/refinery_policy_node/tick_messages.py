"""The messages that carry a policy step and the insertion it belongs to, enough to compute them again."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
from array import array

from refinery.bundle import Bundle
from refinery.bundle.files import MANIFEST
from refinery.processor import processor
from refinery.tick.samples import Inputs
from refinery.tick.tick_result import TickResult
from refinery_msgs.msg import PolicyEpisode, PolicyTick
from refinery_policy_node.messages import reason_message
from refinery_policy_node.parameters import PolicyParameters

_COMPUTE = ("numpy", "onnxruntime")
"""Libraries whose version can change a step."""


def episode_message(bundle: Bundle, parameters: PolicyParameters) -> PolicyEpisode:
    """Return what stays the same over all insertions of a configured node.

    Args:
        bundle: What runs.
        parameters: Of the node.
    """
    guard = dataclasses.asdict(parameters.guard_settings(bundle.task))
    tolerance = dataclasses.asdict(parameters.start_tolerance(bundle.task))
    settings = {f"guard.{name}": float(value) for name, value in guard.items()}
    settings |= {f"start.{name}": float(value) for name, value in tolerance.items()}
    settings |= {"fade_in_s": parameters.fade_in_s, "command_rate_hz": parameters.command_rate_hz}
    return PolicyEpisode(
        bundle=str(bundle.path.resolve()),
        bundle_hash=hashlib.sha256((bundle.path / MANIFEST).read_bytes()).hexdigest(),
        task_hash=bundle.task.hash(),
        setting_names=list(settings),
        setting_values=list(settings.values()),
        versions=[f"{name}=={importlib.metadata.version(name)}" for name in _COMPUTE],
        processor=processor(),
    )


def tick_message(inputs: Inputs, result: TickResult, late_s: float) -> PolicyTick:
    """Return one step with all that went into it; header and episode are the caller's.

    Args:
        inputs: As read, before anything was left out.
        result: What came of it.
        late_s: How late it began, [s].
    """
    message = PolicyTick()
    measured, estimate, wrench, robot = inputs.measured, inputs.estimate, inputs.wrench, inputs.robot
    message.step, message.now_s = result.step, inputs.now_s
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
        message.observation = array("f", result.observation.tobytes())
    if result.action is not None:
        message.acted, message.action = True, list(result.action)
    message.target = [*result.target.xyz_m, *result.target.xyzw]
    message.level, message.reason = int(result.decision.level), reason_message(result.decision)
    return message
