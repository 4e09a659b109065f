"""Everything the node holds between configuration and clean-up: samplers and their connections to arm and MoveIt."""

from __future__ import annotations

import copy
import math

import numpy as np
from rclpy.node import Node

from refinery.bundle import check_fit, load_bundles
from refinery.bundle.several import listed, meant_by
from refinery.errors import ConfigError
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery_ros.polled_clock import PolledClock
from refinery_sampler_node.inputs.arm_state import ArmState
from refinery_sampler_node.inputs.socket_corrections import SocketCorrections
from refinery_sampler_node.inputs.socket_estimates import SocketEstimates
from refinery_sampler_node.inputs.transforms import Transforms
from refinery_sampler_node.moveit.client import MoveItClient
from refinery_sampler_node.moveit.messages import MotionSettings
from refinery_sampler_node.parameters import SamplerParameters
from refinery_sampler_node.placing.arm_halt import ArmHalt
from refinery_sampler_node.placing.execution_monitor import Tolerances
from refinery_sampler_node.placing.placement_planner import PlacementPlanner
from refinery_sampler_node.request_error import RequestError
from refinery_sampler_node.sampling.sampler import Sampler


class SamplerResources:
    """Bundles, arm, topics and MoveIt client of one configured node, seen from one of the bundles' tasks.

    Args:
        node: Gets the subscriptions and the clients.
        parameters: Parameters of the node.

    Raises:
        RefineryError: A bundle or the profile are not usable or do not match; the message says why.
    """

    def __init__(self, node: Node, parameters: SamplerParameters) -> None:
        if not parameters.bundle:
            raise ConfigError("parameters", "bundle", "the directory of a bundle", "", "give -p bundle:=<directory>")
        bundles = load_bundles(parameters.bundle)
        profile = load_robot_profile(parameters.robot_profile)
        for bundle in bundles:
            check_fit(bundle, profile)
        _check_tip(profile)
        self.parameters = parameters
        self.profile = profile
        self.kinematics = profile.arm_kinematics()
        self.samplers = tuple(
            Sampler(
                bundle,
                self.kinematics,
                np.asarray(profile.home_rad),
                max_count=parameters.max_count,
                min_distance=parameters.min_distance,
                limit_margin_rad=parameters.limit_margin_rad,
            )
            for bundle in bundles
        )
        """One for each task."""
        self.sampler = self.samplers[0]
        """That of the task."""
        self.tolerances = Tolerances(
            goal_rad=parameters.goal_tolerance_rad,
            path_rad=parameters.way_tolerance_rad,
            lag_s=parameters.max_lag_s,
            settle_s=parameters.settle_s,
            grace_s=parameters.grace_s,
        )
        self.clock = PolledClock(node, simulated=bool(node.get_parameter("use_sim_time").value))
        self.arm = ArmState(
            node,
            joint_names=profile.joint_names,
            base_frame=profile.base_frame,
            joints_topic=profile.joint_state_topic,
            pose_topic=profile.pose_topic,
            max_age_s=parameters.state_max_age_s,
        )
        self.corrections: SocketCorrections | None = None
        if parameters.use_socket_correction:
            if len(bundles) > 1:
                expected = "false beside several bundles: what is learnt belongs to the socket of one task"
                raise ConfigError("parameters", "use_socket_correction", expected, True)
            self.corrections = SocketCorrections(node, task=bundles[0].task, base_frame=profile.base_frame)
        self.estimates = SocketEstimates(
            node,
            topic=profile.socket_pose_topic,
            base_frame=profile.base_frame,
            window=parameters.estimate_window,
            jump_m=parameters.estimate_jump_m,
            jump_rad=parameters.estimate_jump_rad,
            # The turns that all parts share; a round one (0) has those of any other.
            symmetry=math.gcd(*(bundle.part.symmetry for bundle in bundles)),
            max_age_s=parameters.estimate_max_age_s,
            corrections=self.corrections,
        )
        self.halt = ArmHalt(node, profile.follow_joint_trajectory, self.arm, self.tolerances.rest_rad_s)
        self.transforms = Transforms(node, base_frame=profile.base_frame, max_age_s=parameters.tf_max_age_s)
        self.moveit = MoveItClient(
            node,
            profile,
            self.kinematics,
            settings=MotionSettings(
                velocity_scaling=profile.limits.velocity_scaling,
                acceleration_scaling=profile.limits.acceleration_scaling,
                tool_speed_m_s=min(parameters.max_tool_speed_m_s, profile.limits.tool_speed_m_s),
                approach_speed_m_s=parameters.approach_speed_m_s,
                step_m=parameters.line_step_m,
            ),
            answer_s=parameters.answer_timeout_s,
        )
        self.planners = tuple(
            PlacementPlanner(
                self.moveit,
                bundle.task,
                bundle.part,
                profile,
                self.kinematics,
                lift_m=parameters.lift_m,
                clearance_m=parameters.clearance_m,
                table_top_m=parameters.table_top_m,
            )
            for bundle in bundles
        )
        """One for each task."""
        self.planner = self.planners[0]
        """That of the task."""

    def of_task(self, asked: str) -> SamplerResources:
        """Return the same resources, seen from the task that a request is for.

        Args:
            asked: Its name or hash; empty: the only one.

        Raises:
            RequestError: No bundle is loaded for it, or it has to be named.
        """
        tasks = [sampler.bundle.task for sampler in self.samplers]
        meant = meant_by(asked, tasks)
        if meant is None:
            raise RequestError(
                "UNKNOWN_TASK",
                f"task: expected {listed(tasks)}, got {asked!r}; name one, or start the node with its bundle",
            )
        view = copy.copy(self)
        view.sampler, view.planner = self.samplers[tasks.index(meant)], self.planners[tasks.index(meant)]
        return view

    @property
    def correction(self) -> str:
        """What is done to socket estimates, in words."""
        return "off" if self.corrections is None else self.corrections.description

    def destroy(self) -> None:
        """End all connections."""
        self.clock.destroy()
        self.arm.destroy()
        self.estimates.destroy()
        if self.corrections is not None:
            self.corrections.destroy()
        self.transforms.destroy()
        self.moveit.destroy()
        self.halt.destroy()


def _check_tip(profile: RobotProfile) -> None:
    tip, tool = profile.moveit.tip_link, profile.frames.tool
    if tip != tool:
        raise ConfigError(
            profile.file or profile.name,
            "moveit.tip_link",
            f"{tool!r} (frames.tool)",
            tip,
            "poses are of the tool frame",
        )
