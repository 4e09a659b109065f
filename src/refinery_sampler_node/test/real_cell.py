"""Twin, its move_group and the sampler, each in a process of its own, and a client that measures the arm."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import rclpy
from sampler_harness import PATIENCE_S, Client, start_sampler, stop_sampler
from sensor_msgs.msg import JointState

from refinery.robot_profile import RobotProfile
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_ros import qos
from refinery_ros.conversions import seconds
from refinery_ros.testing.graph import own_domain
from refinery_sim.part import part_geometry


class RealCell:
    """The three processes and a client; the arm as the joint states have it."""

    def __init__(self, profile: RobotProfile, processes: dict[str, subprocess.Popen[bytes]], context: rclpy.Context):
        self.processes, self.client = processes, Client(context)
        self.stamps_s: list[float] = []
        self.joints_rad: list[np.ndarray] = []
        self.client.node.create_subscription(JointState, profile.joint_state_topic, self._store, qos.SENSOR)

    def _store(self, message: JointState) -> None:
        self.stamps_s.append(seconds(message.header.stamp))
        self.joints_rad.append(np.array(message.position))

    def speed_rad_s(self) -> float:
        """Fastest joint over the last tenth of a simulated second, [rad/s]; infinite before there is one."""
        stamps = np.array(self.stamps_s)
        begin = int(np.searchsorted(stamps, stamps[-1] - 0.1)) if len(stamps) else 0
        if len(stamps) < 2 or begin == 0:
            return float("inf")
        return float(np.abs(self.joints_rad[-1] - self.joints_rad[begin]).max() / (stamps[-1] - stamps[begin]))

    def moved_s(self, since: int) -> float:
        """Simulated time from a joint state, by its number, until the arm had come to where it is now, [s]."""
        away = np.abs(np.stack(self.joints_rad[since:]) - self.joints_rad[-1]).max(axis=1) > 2e-3
        moving = np.flatnonzero(away)
        return self.stamps_s[since + int(moving[-1])] - self.stamps_s[since] if len(moving) else 0.0

    def start_moving(self) -> object:
        """Start a placement and spin until the arm is well under way; returns the goal's handle."""
        handle = self.client.start_moving()
        self.client.wait_for(lambda: 0.1 < self.speed_rad_s() < np.inf, "moving arm")
        return handle

    def spin_sim(self, duration_s: float) -> None:
        """Spin for some simulated time."""
        end = self.stamps_s[-1] + duration_s
        self.client.wait_for(lambda: self.stamps_s[-1] > end, f"{duration_s} s of simulated time")


@contextmanager
def real_cell(profile: RobotProfile, task: Task, folder: Path) -> Iterator[RealCell]:
    """Start everything on a domain of its own; all is gone afterwards."""
    with own_domain() as env, ExitStack() as stack:
        processes = {}

        def start(name: str, launch: Callable[[Path], subprocess.Popen[bytes]]) -> None:
            processes[name] = launch(folder / f"{name}.log")
            stack.callback(stop_sampler, processes[name])

        def module(name: str, *parameters: str) -> Callable[[Path], subprocess.Popen[bytes]]:
            def launch(log: Path) -> subprocess.Popen[bytes]:
                given = [part for each in parameters for part in ("-p", each)]
                command = [sys.executable, "-m", name, "--ros-args", *given]
                with log.open("wb") as out:
                    return subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)

            return launch

        bundle = tiny_bundle(folder / "tiny", task, part=part_geometry(task))
        start("twin", module("refinery_twin.node", f"task:={task.name}", "state_rate_hz:=100.0"))
        start("move_group", module("refinery_twin.move_group.node", "use_sim_time:=true"))
        patience = {"state_max_age_s": 10.0, "max_lag_s": 3.0, "answer_timeout_s": PATIENCE_S}
        start(
            "sampler",
            lambda log: start_sampler(
                env, log, autostart=True, discovery_s=0.0, bundle=bundle, use_sim_time=True, **patience
            ),
        )
        context = rclpy.Context()
        rclpy.init(context=context)
        stack.callback(rclpy.try_shutdown, context=context)
        cell = RealCell(profile, processes, context)
        stack.callback(cell.client.close)
        cell.client.wait_for(lambda: cell.client.sample().success, "socket estimate at the node")
        yield cell
