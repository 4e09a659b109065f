"""The test bench: twin and policy node, each a process of its own, on a ROS domain of its own, and a client of both.

The arm's home is the start of the insertion, so that a new trial needs no placement: the twin resets to it at once.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import rclpy
import yaml
from domain_coordinator import domain_id

from experiments.faults.client import Client
from refinery.config import to_mapping
from refinery.initial_state import InitialStateSpec, tool_pose
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.rotations import Poses
from refinery.task import Task, load_task
from refinery.testing.bundles import tiny_bundle

BREAKABLE = "breakable_node"
"""Module of the policy node's tests: the same node, but its callbacks can be broken."""
MARK = "REFINERY_FAULTS_RUN"
"""Environment variable by which processes of a run are found again."""
START_HEIGHT_M = 0.045
"""Of the plug's tip over the seat at home: half a second of free motion, then contact, then the seat."""
_GENTLE_M = 0.002
"""Step along the socket's axis, [m]."""
_MAX_WRENCH = (60.0, 60.0, 100.0, 8.0, 8.0, 8.0)
"""Limit of the measured wrench, [N] and [Nm]."""
_PATIENCE_S = 30.0


def fault_task() -> Task:
    """Return the shipped task for a bench-in policy that knows no contact.

    Starts are within reach of one home pose, steps down are shorter, and a hard knock is not over the limit: only what
    is injected should stop an insertion.
    """
    task = load_task(config_file("tasks", "peg_rect"))
    starts = {
        "x": (-0.012, 0.012),
        "y": (-0.012, 0.012),
        "z": (START_HEIGHT_M, START_HEIGHT_M),
        "roll": (0.0, 0.0),
        "pitch": (0.0, 0.0),
        "yaw": (-0.3, 0.3),
    }
    boxes = {
        name: dataclasses.replace(getattr(task.initial_state, name), **starts) for name in ("trained_in", "deployed_in")
    }
    socket = dataclasses.replace(task.socket, range_xyz_m=(0.008, 0.008, 0.0))
    x, y, _, roll, pitch, yaw = task.control.action_scale
    control = dataclasses.replace(task.control, action_scale=(x, y, _GENTLE_M, roll, pitch, yaw))
    limits = dataclasses.replace(task.limits, max_wrench=_MAX_WRENCH)
    starting = InitialStateSpec(**boxes)
    return dataclasses.replace(task, socket=socket, control=control, limits=limits, initial_state=starting)


def fault_profile(task: Task) -> RobotProfile:
    """Return the twin's profile with a home over the nominal socket."""
    profile = load_robot_profile("twin")
    theta = np.zeros((1, 9))
    theta[0, 2] = START_HEIGHT_M
    socket = Poses.from_xyz_rpy(np.asarray(task.socket.nominal_xyz_m), (0.0, 0.0, 0.0))
    goal = tool_pose(socket, theta, task.plug.tool_from_plug)
    joints, reached = profile.arm_kinematics().inverse(goal, profile.home_rad)
    assert reached.all(), "no joints for the start over the nominal socket"
    return dataclasses.replace(profile, home_rad=tuple(joints[0].tolist()))


def marked(mark: str) -> list[int]:
    """Return the processes whose environment carries the mark and that are not zombies."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            if f"{MARK}={mark}".encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


class FaultBench:
    """Two node processes and a client.

    Args:
        folder: Gets the bundle, the logs and the node's recordings.
        domain: ROS domain of all of it.
        factor: Simulated seconds per second.
    """

    def __init__(self, folder: Path, domain: int, factor: float) -> None:
        self.task, self.factor, self.folder = fault_task(), factor, folder
        self.profile = fault_profile(self.task)
        self.records = folder / "records"
        self.mark = uuid.uuid4().hex
        self._env = {**os.environ, "ROS_DOMAIN_ID": str(domain), MARK: self.mark, "PYTHONUNBUFFERED": "1"}
        self._env["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
        tests = Path(__file__).resolve().parents[2] / "src" / "refinery_policy_node" / "test"
        self._env["PYTHONPATH"] = os.pathsep.join([self._env.get("PYTHONPATH", ""), str(tests)]).strip(os.pathsep)
        self._profile_file, self._task_file = folder / "profile.yaml", folder / "task.yaml"
        self._profile_file.write_text(yaml.safe_dump(to_mapping(self.profile)))
        self._task_file.write_text(yaml.safe_dump(to_mapping(self.task)))
        self.bundle = tiny_bundle(folder / "bundle", self.task)
        self.others: dict[str, subprocess.Popen[bytes]] = {}
        """Processes that only some faults need."""
        self._starts = 0
        self.twin = self._run(
            "refinery_twin.node",
            robot_profile=self._profile_file,
            task=self._task_file,
            realtime_factor=float(factor),
            state_rate_hz=100.0,
        )
        self.policy = self.start_policy()

    def start_policy(self, *, breakable: bool = False) -> subprocess.Popen[bytes]:
        """Start the policy node, in place of one that has ended.

        Args:
            breakable: As a node whose callbacks can be broken.
        """
        self.policy = self._run(
            BREAKABLE if breakable else "refinery_policy_node.node",
            use_sim_time=True,
            autostart=True,
            discovery_s=0.0,
            bundle=self.bundle,
            robot_profile=self._profile_file,
            record_dir=self.records,
        )
        return self.policy

    def replace_policy(self, *, breakable: bool) -> None:
        """End the policy node as an operator would, and start another."""
        self._end(self.policy)
        self.start_policy(breakable=breakable)

    def start_placing(self) -> None:
        """Start what a placement needs besides; what runs already is left alone."""
        common = {"robot_profile": self._profile_file, "use_sim_time": True}
        # Faster than real time on a machine that does other work: messages may be late by the robot's measure.
        patience = {"state_max_age_s": 5.0, "max_lag_s": 2.0, "tf_max_age_s": 5.0}
        if not self._runs("move_group"):
            self.others["move_group"] = self._run("refinery_twin.move_group.node", **common)
        if not self._runs("sampler"):
            self.others["sampler"] = self._run(
                "refinery_sampler_node.node", bundle=self.bundle, autostart=True, discovery_s=0.0, **common, **patience
            )

    def run_up(self) -> tuple[subprocess.Popen[bytes], Path]:
        """Start the bring-up of a whole cell on the same domain, as an operator might by mistake.

        Returns:
            Its process, and the file that takes what it and its nodes say.
        """
        words = ["up", "--robot", self._profile_file, "--bundle", self.bundle, "--log-dir", self.folder / "second"]
        process = self._popen("refinery.cli.main", [str(word) for word in words])
        return process, self._log("refinery.cli.main")

    def _runs(self, name: str) -> bool:
        return name in self.others and self.others[name].poll() is None

    def await_policy(self, client: Client) -> None:
        """Wait until the policy node is active; fail with the nodes' output."""
        try:
            client.wait_for(lambda: client.ready() or self._dead(), "active policy node")
            assert not self._dead(), f"{self._dead()} ended by itself"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()}") from None

    def _dead(self) -> str:
        nodes = {"the twin": self.twin, "the policy node": self.policy}
        return " and ".join(name for name, process in nodes.items() if process.poll() is not None)

    def log(self) -> str:
        """Return what the nodes have written."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"== {file.name}\n{file.read_text(errors='replace')[-4000:]}" for file in files)

    def close(self) -> int:
        """End both nodes, the policy first; returns how many processes of the run are left after that."""
        processes = (self.policy, *self.others.values(), self.twin)
        for process in processes:
            self._end(process)
        left = marked(self.mark)
        for process in processes:
            if process.poll() is None:
                process.kill()
            process.wait()
        return len(left)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE_S)

    def _run(self, module: str, **parameters: object) -> subprocess.Popen[bytes]:
        arguments = ["--ros-args"]
        for name, value in parameters.items():
            arguments += ["-p", f"{name}:={str(value).lower() if isinstance(value, bool) else value}"]
        return self._popen(module, arguments)

    def _popen(self, module: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        self._starts += 1
        with self._log(module).open("wb") as out:
            return subprocess.Popen(
                [sys.executable, "-m", module, *arguments], stdout=out, stderr=subprocess.STDOUT, env=self._env
            )

    def _log(self, module: str) -> Path:
        """Where the process that was started last, of a module, writes."""
        return self.folder / f"{self._starts}_{module.split('.')[0]}.log"


@contextlib.contextmanager
def running(folder: Path, factor: float) -> Iterator[tuple[FaultBench, Client]]:
    """Bring the bench up and end it; the policy node is active when this yields."""
    with domain_id() as domain, contextlib.ExitStack() as stack:
        bench = FaultBench(folder, int(domain), factor)
        stack.callback(bench.close)
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=int(domain))
        stack.callback(rclpy.try_shutdown, context=context)
        client = Client(bench.profile, context)
        stack.callback(client.close)
        bench.await_policy(client)
        yield bench, client
