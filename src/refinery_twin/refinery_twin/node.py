"""The node ``refinery_twin``: a paced loop steps the plant and publishes its state, a thread serves the graph.

Polling the graph between two states would cost more than the physics, so a second thread waits for messages. It only
queues them; the loop handles them before the next step. Services answer at once, under the lock of the loop.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from std_msgs.msg import Float64MultiArray
from trajectory_msgs.msg import JointTrajectory as JointTrajectoryMsg

from refinery.bringup.graph import SETTLED_S, check_only_clock
from refinery.bringup.node_names import TWIN
from refinery.errors import RefineryError
from refinery.robot_profile import RobotProfile
from refinery.sequence.bundles import bundled_tasks
from refinery.sequence.sequence import load_sequence
from refinery_ros import qos
from refinery_ros.process import StopSignal, run_node_process
from refinery_sim.task import named_task
from refinery_twin.assembly.cell import AssemblyCell
from refinery_twin.assembly.gripper_server import GripperServer
from refinery_twin.assembly.parts_service import PartsService
from refinery_twin.cell import Cell
from refinery_twin.faults import StoppedClock
from refinery_twin.follow_server import FollowServer
from refinery_twin.inputs import target_from, trajectory_from
from refinery_twin.outputs import Outputs
from refinery_twin.pacing import Pacer
from refinery_twin.parameters import TwinParameters, declare_parameters
from refinery_twin.services import Services

BASE_POSE = "base_pose"
"""Topic of the estimated pose of an assembly's base."""
_WARN_EVERY_S = 2.0
_DIAGNOSTICS_EVERY_S = 1.0
_LISTEN_S = 0.2
_STOPPED_LOOK_S = 0.005
_MAX_WAITING = 16
"""At most this many messages are queued for the next step; of more only the newest are handled."""


class TwinNode(Node):
    """The cell behind the topics and services of the real one; like a real cell, it is not lifecycle-managed."""

    def __init__(self) -> None:
        super().__init__(TWIN)
        self._settings, self._profile = declare_parameters(self)
        self._cell = _cell(self._settings, self._profile)
        task = self._cell.task
        self._limits = self._cell.plant.joint_limits(self._profile.limits.velocity_rad_s)
        self._chunk = max(1, round(1000.0 / self._settings.state_rate_hz))
        self._pacer = Pacer(self._settings.realtime_factor)
        self._due_diagnostics_s = time.monotonic() + _DIAGNOSTICS_EVERY_S
        self._stopped_clock = StoppedClock(self._cell.faults)
        self._lock = threading.Lock()
        self._waiting: deque[tuple[Callable[[Any], None], Any]] = deque(maxlen=_MAX_WAITING)
        assembling = isinstance(self._cell, AssemblyCell)
        shown = _estimating_base(self._profile) if assembling else self._profile
        self._outputs = Outputs(self, shown, self._settings, task.control.policy_rate_hz, self._cell.faults)
        self._diagnostics_out = self.create_publisher(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
        self._second_target: Publisher | None = None
        self._open_inputs()
        self._follow = FollowServer(self, self._profile, self._cell, self._limits, self._outputs, self._lock)
        self._gripper: GripperServer | None = None
        if isinstance(self._cell, AssemblyCell):
            self._gripper = GripperServer(self, self._profile, self._cell, self._outputs, self._lock)
        Services(self, self._profile, self._cell, self._outputs, self._lock, self._on_trial)
        PartsService(self, self._cell, self._outputs, self._lock, self._profile.base_frame)

    def _open_inputs(self) -> None:
        profile = self._profile
        for kind, topic, handle in (
            (PoseStamped, profile.target_pose_topic, self._on_target),
            (Float64MultiArray, profile.target_stiffness_topic, self._on_stiffness),
            (JointTrajectoryMsg, profile.trajectory_topic, self._on_trajectory),
        ):
            self.create_subscription(kind, topic, partial(self._keep, handle), qos.COMMAND)
        self._target_topic = self.resolve_topic_name(profile.target_pose_topic)

    def _on_trial(self) -> None:
        """Forget what belongs to the previous trial; the lock is held."""
        self._waiting.clear()
        if self._gripper is not None:
            self._gripper.reset()

    def _keep(self, handle: Callable[[Any], None], message: object) -> None:
        """Queue a message for the loop; runs in the thread that serves the graph."""
        self._waiting.append((handle, message))

    def advance(self) -> None:
        """Wait for the time of the next state, handle messages, step and publish the state."""
        cell = self._cell
        self._pacer.wait(cell.plant.time_s)
        with self._lock:
            stopped = self._stopped_clock.on(cell.plant.time_s)
        if stopped:
            # Messages wait meanwhile, as in the controllers of a paused simulator.
            time.sleep(_STOPPED_LOOK_S)
            return
        with self._lock:
            for _ in range(len(self._waiting)):
                handle, message = self._waiting.popleft()
                handle(message)
            self._inject_second_publisher()
            try:
                cell.step(self._chunk)
            except RefineryError as error:
                self.get_logger().error(f"{error}; the arm is back home")
                return
            self._outputs.publish(cell.plant, cell.trial)
            self._follow.update()
            if self._gripper is not None:
                self._gripper.update()
            if time.monotonic() >= self._due_diagnostics_s:
                self._due_diagnostics_s = time.monotonic() + _DIAGNOSTICS_EVERY_S
                self._publish_diagnostics()

    def _inject_second_publisher(self) -> None:
        """While the fault ``second_publisher`` is active, be a second publisher of the target pose."""
        wanted = self._cell.faults.on("second_publisher", self._cell.plant.time_s)
        if wanted and self._second_target is None:
            self._second_target = self.create_publisher(PoseStamped, self._target_topic, qos.COMMAND)
        elif not wanted and self._second_target is not None:
            self.destroy_publisher(self._second_target)
            self._second_target = None

    def _publish_diagnostics(self) -> None:
        plant, trial = self._cell.plant, self._cell.trial
        factor, asked = self._pacer.achieved(plant.time_s), self._settings.realtime_factor
        behind = asked > 0 and factor < 0.9 * asked
        text = f"{factor:.2f} times real time" + (f", behind the {asked:g} asked for" if behind else "")
        values = {
            "realtime_factor": f"{factor:.3f}",
            "realtime_factor_asked": f"{asked:g}",
            "controller": plant.mode.value,
            "trial_seed": str(trial.draw.seed),
            "task": self._cell.task.name,
            "faults": ", ".join(fault.kind for fault in self._cell.faults.active(plant.time_s)) or "none",
        }
        status = DiagnosticStatus(
            level=DiagnosticStatus.WARN if behind else DiagnosticStatus.OK,
            name="refinery_twin: physics",
            message=text,
            hardware_id="simulation",
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._outputs.messages.stamp
        self._diagnostics_out.publish(array)

    def _on_target(self, message: PoseStamped) -> None:
        publishers = self.count_publishers(self._target_topic)
        if publishers > 1:
            self.get_logger().error(
                f"{self._target_topic} has {publishers} publishers, expected 1: targets are ignored until there is one",
                throttle_duration_sec=_WARN_EVERY_S,
            )
            return
        try:
            target = target_from(message, self._profile.base_frame)
        except RefineryError as error:
            self.get_logger().error(str(error), throttle_duration_sec=_WARN_EVERY_S)
            return
        if problem := self._cell.command(target):
            self.get_logger().warning(
                f"target_pose kept for the next activation: {problem}", throttle_duration_sec=_WARN_EVERY_S
            )

    def _on_stiffness(self, message: Float64MultiArray) -> None:
        try:
            self._cell.plant.set_stiffness(list(message.data))
        except RefineryError as error:
            self.get_logger().error(f"{error}; stiffness unchanged", throttle_duration_sec=_WARN_EVERY_S)

    def _on_trajectory(self, message: JointTrajectoryMsg) -> None:
        plant = self._cell.plant
        try:
            trajectory = trajectory_from(
                message,
                self._profile.joint_names,
                now_s=plant.time_s,
                start_rad=plant.joints_rad,
                limits=self._limits,
            )
            self._cell.follow(trajectory)
        except RefineryError as error:
            self.get_logger().error(f"joint trajectory refused: {error}")


def _cell(settings: TwinParameters, profile: RobotProfile) -> Cell:
    """Return the cell of a sequence, or of a task."""
    if not settings.sequence:
        return Cell(named_task(settings.task), profile, settings.seed, settings.bias_seed)
    sequence = load_sequence(settings.sequence)
    if settings.bundles:
        tasks = {task.name: task for task in bundled_tasks(sequence, Path(settings.bundles)).values()}
    else:
        tasks = {step.task: named_task(step.task) for step in sequence.steps}
    return AssemblyCell(sequence, tasks, profile, settings.seed)


def _estimating_base(profile: RobotProfile) -> RobotProfile:
    """Return the profile with estimates of an assembly's base in place of those of a socket."""
    topics = profile.topics
    return replace(profile, topics=replace(topics, socket_pose=replace(topics.socket_pose, name=BASE_POSE)))


def main() -> int:
    """Run the twin until SIGINT or SIGTERM; returns the exit status."""
    return run_node_process(TWIN, TwinNode, _run)


def _run(node: TwinNode, stop: StopSignal) -> int:
    """Serve the graph in a thread and step in this one until a signal."""
    executor = SingleThreadedExecutor()
    executor.add_node(node)

    def listen() -> None:
        # An executor that another thread shuts down while it spins may raise; this thread leaves within one timeout.
        while not stop.is_set():
            executor.spin_once(timeout_sec=_LISTEN_S)

    listener = threading.Thread(target=listen, name="graph", daemon=True)
    listener.start()
    stopped, settled_s = False, time.monotonic() + SETTLED_S
    try:
        check_only_clock(node)
        node.get_logger().info("the cell is up")
        while listener.is_alive() and not stop.is_set():
            node.advance()
            # A cell that starts later detects this one itself.
            if time.monotonic() < settled_s:
                check_only_clock(node)
        stopped = stop.is_set()
    finally:
        stop.set()
        listener.join()
        executor.shutdown()
    if not stopped:
        raise RefineryError("the thread that serves the graph has ended; its error is above")
    node.get_logger().info(f"{stop.name}: stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
