"""Twin, its MoveIt and the sampler, all real, and a client that notes every joint state on the path."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rclpy
from domain_coordinator import domain_id
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import JointState

from refinery.bringup.description import describe_bringup
from refinery.bringup.node_names import POLICY
from refinery.bringup.supervisor import Supervisor
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.rotations import Array
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.run import place_held
from refinery_msgs.action import Place
from refinery_sampler_node.parameters import SamplerParameters
from refinery_sim.part import part_geometry
from refinery_sim.task import load_task

STATE_RATE_HZ = 100.0
"""Joint states by simulated time: at the tool's top speed of 0.2 m/s one every 2 mm."""
_READY_S = 120.0


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One placement, as observed on topics."""

    result: Place.Result
    """The sampler's result."""
    grasp: Array
    """How the twin's hand held the part, shape (1, 3)."""
    joints_rad: Array
    """Joints on the path, shape (N, 7), the last at its end, [rad]."""
    part_force_n: float
    """Largest contact force on the part, by the twin's physics, [N]."""


class PlacementBench:
    """A running cell for one task.

    Args:
        client: Of the twin and the sampler.
        node: The client's.
        profile: Of the arm.
        task: That the cell runs.
    """

    def __init__(self, client: TrialClient, node: rclpy.node.Node, profile: RobotProfile, task: Task) -> None:
        self._client, self._profile = client, profile
        self.task = task
        self._path: list[Array] = []
        node.create_subscription(JointState, profile.joint_state_topic, self._note, qos_profile_sensor_data)

    def place(self, mode: str, seed: int) -> Placed:
        """Set the cell up by a seed, the part held as the sample needs it, and place."""
        client = self._client
        result, held = place_held(client, mode, seed, before=self._path.clear)
        client.settle(0.1)
        return Placed(
            result=result,
            grasp=np.array([held]),
            joints_rad=np.array(self._path),
            part_force_n=client.truth().max_force_n,
        )

    def _note(self, message: JointState) -> None:
        angles = dict(zip(message.name, message.position, strict=True))
        self._path.append(np.array([angles[name] for name in self._profile.joint_names]))


@contextlib.contextmanager
def running(task_name: str, folder: Path, factor: float) -> Iterator[PlacementBench]:
    """Bring the cell of a task up on a ROS domain of its own; all is gone afterwards.

    Args:
        task_name: Name in ``config/tasks``.
        folder: Gets the bundle and the logs.
        factor: Simulated seconds per second.
    """
    task = load_task(config_file("tasks", task_name))
    # Faster than real time on a machine that does other work: messages may be late by the robot's measure, and MoveIt,
    # which starts a motion late by the wall clock, is later by the pace.
    settings = {"refinery_twin.state_rate_hz": STATE_RATE_HZ, "refinery_sampler.state_max_age_s": 5.0}
    settings |= {"refinery_sampler.tf_max_age_s": 5.0}
    settings |= {"refinery_sampler.max_lag_s": SamplerParameters().max_lag_s * max(factor, 1.0)}
    with contextlib.ExitStack() as stack:
        before = dict(os.environ)
        number = stack.enter_context(domain_id())
        stack.callback(os.environ.update, before)
        stack.callback(os.environ.clear)
        os.environ |= {"ROS_DOMAIN_ID": str(number), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
        bundle = tiny_bundle(folder / "bundle", task, part=part_geometry(task))
        specs = describe_bringup("twin", bundle=bundle, realtime_factor=factor, overrides=settings)
        nodes = stack.enter_context(
            Supervisor([spec for spec in specs if spec.name != POLICY], log_dir=folder, quiet=True)
        )
        rclpy.init()
        stack.callback(rclpy.try_shutdown)

        def watch() -> None:
            assert not nodes.poll(), f"{nodes.poll()}; logs in {folder}"

        node = rclpy.create_node("placement_client")
        client = TrialClient(node, watch)
        bench = PlacementBench(client, node, load_robot_profile("twin"), task)
        client.wait_until_ready(_READY_S, inserting=False)
        yield bench
