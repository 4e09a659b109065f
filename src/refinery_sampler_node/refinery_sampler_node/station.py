"""Everything the node holds between configuration and clean-up: the sampler and its connections to the arm."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rclpy.node import Node
from rclpy.qos import QoSProfile
from trajectory_msgs.msg import JointTrajectory

from refinery.bundle import check_fit, load_bundle
from refinery.errors import ConfigError
from refinery.robot_profile import load_robot_profile
from refinery_sampler_node.arm_state import ArmState
from refinery_sampler_node.estimates import SocketEstimates
from refinery_sampler_node.joint_path import MotionLimits
from refinery_sampler_node.motion import Tolerances
from refinery_sampler_node.parameters import SamplerParameters
from refinery_sampler_node.sampler import Sampler


class Station:
    """Bundle, arm and topics of one configured node.

    Args:
        node: Gets the subscriptions and the publisher.
        parameters: Of the node.

    Raises:
        RefineryError: Bundle or profile are not usable or do not fit each other; the message says why.
    """

    def __init__(self, node: Node, parameters: SamplerParameters) -> None:
        if not parameters.bundle:
            raise ConfigError("parameters", "bundle", "the directory of a bundle", "", "give -p bundle:=<directory>")
        bundle = load_bundle(Path(parameters.bundle))
        profile = load_robot_profile(parameters.robot_profile)
        check_fit(bundle, profile)
        self._node = node
        self.parameters = parameters
        self.profile = profile
        self.kinematics = profile.arm_kinematics()
        self.sampler = Sampler(
            bundle,
            self.kinematics,
            np.asarray(profile.home_rad),
            max_count=parameters.max_count,
            min_distance=parameters.min_distance,
            limit_margin_rad=parameters.limit_margin_rad,
        )
        self.limits = MotionLimits(
            velocity_rad_s=np.asarray(profile.velocity_rad_s),
            acceleration_rad_s2=np.asarray(profile.acceleration_rad_s2),
            tool_speed_m_s=parameters.max_tool_speed_m_s,
        )
        self.tolerances = Tolerances(
            goal_rad=parameters.goal_tolerance_rad,
            way_rad=parameters.way_tolerance_rad,
            lag_s=parameters.max_lag_s,
            settle_s=parameters.settle_s,
            grace_s=parameters.grace_s,
        )
        self.arm = ArmState(
            node,
            joint_names=profile.joint_names,
            base_frame=profile.base_frame,
            joints_topic=profile.joint_state_topic,
            pose_topic=profile.pose_topic,
            max_age_s=parameters.state_max_age_s,
        )
        self.estimates = SocketEstimates(
            node,
            topic=profile.socket_pose_topic,
            base_frame=profile.base_frame,
            window=parameters.estimate_window,
            jump_m=parameters.estimate_jump_m,
            jump_rad=parameters.estimate_jump_rad,
            max_age_s=parameters.estimate_max_age_s,
        )
        self.trajectories = node.create_publisher(JointTrajectory, profile.trajectory_topic, QoSProfile(depth=1))

    def destroy(self) -> None:
        """End all connections."""
        self.arm.destroy()
        self.estimates.destroy()
        self._node.destroy_publisher(self.trajectories)
