"""A stand-in robot with a scripted MoveIt, and a client: real messages, a perfect controller, faults on request."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from action_msgs.srv import CancelGoal
from geometry_msgs.msg import PoseStamped, TransformStamped
from move_group_peer import MoveGroupPeer
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rosgraph_msgs.msg import Clock
from scipy.interpolate import CubicHermiteSpline
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from trajectory_msgs.msg import JointTrajectory
from visualization_msgs.msg import MarkerArray

from refinery.kinematics import ArmKinematics
from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_msgs.action import Place
from refinery_msgs.msg import Outcome
from refinery_msgs.srv import SampleInit
from refinery_ros import qos
from refinery_ros.conversions import pose_message, pose_stamped_message, seconds
from refinery_ros.testing.graph import asking, own_domain

SAMPLER = ("-m", "refinery_sampler_node.node")
PATIENCE_S = 60.0
"""Longest wait for anything, wall clock; only a failure takes this long."""
SPEED = 3.0
"""Simulated seconds per second, unless a test asks for another."""
STALE_S = 2.0
"""Age of joint states that stops the node; long, because a busy machine may hold up the stand-in robot."""
SOCKET = Poses.from_xyz_rpy([0.5, 0.02, 0.1], [0.0, 0.0, 0.1])


class Robot:
    """Publishes clock, joints, tool pose and estimates; follows trajectories exactly; spins in a thread of its own."""

    def __init__(self, profile: RobotProfile, kinematics: ArmKinematics, context: rclpy.Context) -> None:
        self.profile, self._kinematics = profile, kinematics
        self.lock = threading.Lock()
        self.node = rclpy.create_node("stand_in_robot", context=context)
        self._clock_out = self.node.create_publisher(Clock, "/clock", qos.CLOCK)
        self._joints_out = self.node.create_publisher(JointState, profile.joint_state_topic, qos.SENSOR)
        self._pose_out = self.node.create_publisher(PoseStamped, profile.pose_topic, qos.SENSOR)
        self._socket_out = self.node.create_publisher(PoseStamped, profile.socket_pose_topic, 1)
        self._tf_out = self.node.create_publisher(TFMessage, "/tf", 10)
        self.received: list[JointTrajectory] = []
        self.node.create_service(CancelGoal, f"{profile.follow_joint_trajectory}/_action/cancel_goal", self._on_cancel)
        self.moveit = MoveGroupPeer(self.node, profile, kinematics, self)
        self._rng = np.random.default_rng(0)
        self._time_s, self._ticks, self._last = 1.0, 0, time.monotonic()
        self.estimates = 0
        self.restore()
        self.node.create_timer(0.01, self._step)
        self._executor = SingleThreadedExecutor(context=context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def restore(self) -> None:
        """Arm at home, everything working, socket at its place."""
        with self.lock:
            self.q, self.v = np.array(self.profile.home_rad), np.zeros(7)
            self._curve: CubicHermiteSpline | None = None
            self._start_s = 0.0
            self.socket, self.frame = SOCKET, self.profile.base_frame
            self.quat_scale, self.speed = 1.0, SPEED
            self.estimating = self.publishing = self.following = self.ticking = True
            self.tool_error_m = np.zeros(3)
            self.obeying, self._held = True, False
            self.spoil: Callable[[PoseStamped, int], None] = lambda estimate, number: None
            self.halts = 0
            self.received.clear()
            self.moveit.restore()

    def close(self) -> None:
        self._executor.shutdown()
        self._thread.join(timeout=5.0)
        self.node.destroy_node()

    def _spin(self) -> None:
        with suppress(ExternalShutdownException):
            self._executor.spin()

    def follow(self, trajectory: JointTrajectory) -> None:
        """Start to follow a trajectory from wherever the arm is."""
        self.received.append(trajectory)
        self._held = False
        if not self.following:
            self._curve = None
            return
        order = [list(trajectory.joint_names).index(name) for name in self.profile.joint_names]
        points = [p for p in trajectory.points if seconds(p.time_from_start) > 0]
        times = [0.0] + [seconds(p.time_from_start) for p in points]
        positions = np.vstack([self.q, *(np.array(p.positions)[order] for p in points)])
        velocities = np.vstack([self.v, *(np.array(p.velocities)[order] for p in points)])
        self._curve, self._start_s = CubicHermiteSpline(times, positions, velocities, axis=0), self._time_s

    def _on_cancel(self, request: CancelGoal.Request, response: CancelGoal.Response) -> CancelGoal.Response:
        """Answer as the trajectory controller does, which ends all its goals if none is named."""
        stamp, goal = request.goal_info.stamp, request.goal_info.goal_id
        assert not any(goal.uuid) and not (stamp.sec or stamp.nanosec)
        self.halts += 1
        if self.obeying and self.following_s and not self._held:
            self.halt()
            self._held = True
        return response

    def push(self, offset_rad: float) -> None:
        """Move every joint at once."""
        self._curve, self.q = None, self.q + offset_rad

    def halt(self) -> None:
        """Come to rest within 0.2 s."""
        q, v = np.array(self.q), np.array(self.v)
        self._curve = CubicHermiteSpline([0.0, 0.2], [q, q + 0.1 * v], [v, 0 * v], axis=0)
        self._start_s = self._time_s

    @property
    def following_s(self) -> float:
        """Time that is left of the trajectory, [s]; never none after a halt by the controller, so that MoveIt waits."""
        if self._curve is None or self._held:
            return 0.0 if self.following and not self._held else 1.0
        return max(0.0, float(self._curve.x[-1]) - (self._time_s - self._start_s))

    def send_transform(self, parent: str, child: str, pose: Poses, *, age_s: float = 0.0) -> None:
        """Publish one transform on /tf, stamped so long ago."""
        message = TransformStamped(child_frame_id=child)
        message.header.frame_id, stamp = parent, self._time_s - age_s
        message.header.stamp.sec, message.header.stamp.nanosec = int(stamp), int(stamp % 1 * 1e9)
        placed = pose_message(pose)
        t = message.transform.translation
        t.x, t.y, t.z = placed.position.x, placed.position.y, placed.position.z
        message.transform.rotation = placed.orientation
        self._tf_out.publish(TFMessage(transforms=[message]))

    def _step(self) -> None:
        with self.lock:
            now, self._ticks = time.monotonic(), self._ticks + 1
            if self.ticking:
                self._time_s += self.speed * (now - self._last)
            self._last = now
            if self._curve is not None:
                t = self._time_s - self._start_s
                end = float(self._curve.x[-1])
                self.q = np.asarray(self._curve(min(t, end)))
                self.v = np.asarray(self._curve(t, 1)) if t < end else np.zeros(7)
            clock = Clock()
            clock.clock.sec, clock.clock.nanosec = int(self._time_s), int(self._time_s % 1 * 1e9)
            self._clock_out.publish(clock)
            if self.publishing:
                state = JointState(
                    name=list(self.profile.joint_names), position=self.q.tolist(), velocity=self.v.tolist()
                )
                state.header.stamp = clock.clock
                self._joints_out.publish(state)
                tool = self._kinematics.forward(self.q)
                tool = Poses(pos_m=tool.pos_m + self.tool_error_m, quat_xyzw=tool.quat_xyzw)
                self._pose_out.publish(pose_stamped_message(tool, self.profile.base_frame, clock.clock))
            if self.estimating and self._ticks % 3 == 0:
                jitter = self._rng.uniform(-0.002, 0.002, (1, 3))
                estimate = Poses(pos_m=self.socket.pos_m + jitter, quat_xyzw=self.quat_scale * self.socket.quat_xyzw)
                message = pose_stamped_message(estimate, self.frame, clock.clock)
                self.spoil(message, self._ticks // 3)
                self._socket_out.publish(message)
                self.estimates += 1
        self.moveit.step()


class Client:
    """Talks to the sampler as a user's program would; spun by the waiting functions."""

    def __init__(self, context: rclpy.Context) -> None:
        self.node = rclpy.create_node("sampler_test_client", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        self.executor.add_node(self.node)
        self._sample = self.node.create_client(SampleInit, "/sample_init")
        self._place = ActionClient(self.node, Place, "/place")
        self.markers: list[MarkerArray] = []
        self.node.create_subscription(MarkerArray, "/refinery_sampler/markers", self.markers.append, qos.STATUS)
        self.feedback: list[Place.Feedback] = []

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Spin until the condition holds; fail naming ``what``."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline, f"no {what} after {PATIENCE_S:.0f} s"
            self.executor.spin_once(timeout_sec=0.02)

    def call(self, client: Any, request: Any) -> Any:
        self.wait_for(client.service_is_ready, f"service {client.srv_name}")
        answer = asking(client, request)
        self.wait_for(lambda: answer() is not None, f"answer from {client.srv_name}")
        return answer()

    def service(self, kind: Any, name: str, request: Any) -> Any:
        """Call any service once."""
        client = self.node.create_client(kind, name)
        try:
            return self.call(client, request)
        finally:
            self.node.destroy_client(client)

    def sample(self, **fields: Any) -> SampleInit.Response:
        return self.call(self._sample, SampleInit.Request(**fields))

    def start_place(self, **fields: Any) -> Any:
        """Send a goal; returns the handle of the accepted goal."""
        self.wait_for(self._place.server_is_ready, "action /place")
        future = self._place.send_goal_async(
            Place.Goal(**fields), feedback_callback=lambda message: self.feedback.append(message.feedback)
        )
        self.wait_for(future.done, "answer to the goal")
        handle = future.result()
        assert handle.accepted
        return handle

    def start_moving(self) -> Any:
        """Start a placement and spin until a good part of the motion is done; returns the goal's handle.

        Again if the node has not discovered MoveIt yet; fails with what the placement says if it ends otherwise.
        """
        while True:
            handle = self.start_place()
            ended = handle.get_result_async()
            self.wait_for(
                lambda ended=ended: ended.done() or any(each.progress > 0.3 for each in self.feedback), "motion"
            )
            if not ended.done():
                return handle
            outcome = ended.result().result.outcome
            assert outcome.value == Outcome.REFUSED and "MoveIt is not ready" in outcome.message, outcome

    def result(self, handle: Any) -> Place.Result:
        future = handle.get_result_async()
        self.wait_for(future.done, "result of /place")
        return future.result().result

    def place(self, **fields: Any) -> Place.Result:
        return self.result(self.start_place(**fields))

    def close(self) -> None:
        self._place.destroy()
        self.executor.shutdown()
        self.node.destroy_node()


@dataclass
class Cell:
    """A running node, a stand-in robot and a client."""

    client: Client
    robot: Robot
    process: subprocess.Popen[bytes]
    env: dict[str, str]
    bundle_path: Path
    log: Path

    def socket_message(self, frame: str | None = None, quat_xyzw: tuple[float, ...] | None = None) -> PoseStamped:
        base = self.robot.profile.base_frame if frame is None else frame
        pose = SOCKET if quat_xyzw is None else Poses(pos_m=SOCKET.pos_m, quat_xyzw=np.array([quat_xyzw]))
        return pose_stamped_message(pose, base, self.robot.node.get_clock().now().to_msg())

    def settle_estimates(self) -> None:
        """Make the node forget old estimates and wait until it has averaged new ones."""
        reset = self.client.service(Trigger, "/refinery_sampler/reset_estimate", Trigger.Request())
        assert reset.success
        self.client.wait_for(lambda: self.client.sample().success, "socket estimate at the node")

    def end_estimates(self) -> None:
        """Publish no more estimates, and make the node forget the old ones, also the one that was on its way."""
        self.robot.estimating = False

        def forgotten() -> bool:
            assert self.client.service(Trigger, "/refinery_sampler/reset_estimate", Trigger.Request()).success
            return "no message on" in self.client.sample().message

        self.client.wait_for(forgotten, "notice of no estimate")

    def expect_halt(self) -> None:
        """MoveIt and the controller were told to cancel the one motion, and the arm stands still, short of its goal."""
        self.client.wait_for(lambda: bool(self.robot.moveit.cancelled), "cancel at MoveIt")
        self.client.wait_for(lambda: bool(self.robot.halts), "cancel at the controller")
        assert self.robot.moveit.cancelled == ["execute_trajectory"] and len(self.robot.received) == 1
        self.client.wait_for(lambda: not self.robot.v.any(), "arm at rest")
        names = list(self.robot.received[0].joint_names)
        goal = np.array(self.robot.received[0].points[-1].positions)
        q = self.robot.q[[self.robot.profile.joint_names.index(name) for name in names]]
        assert np.abs(q - goal).max() > 0.02


def start_sampler(
    env: dict[str, str], log: Path, *, program: Sequence[str] = SAMPLER, **parameters: object
) -> subprocess.Popen[bytes]:
    """Start the node, or a program in its place, in a process of its own; its output goes to a file."""
    arguments = [part for name, value in parameters.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, *program, "--ros-args", *arguments]
    with log.open("wb") as out:
        return subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)


def stop_sampler(process: subprocess.Popen[bytes], number: int = signal.SIGINT) -> int:
    """Send a signal and return the exit status."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        return process.wait(timeout=PATIENCE_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


@contextmanager
def running_cell(
    profile: RobotProfile, kinematics: ArmKinematics, task: Task, folder: Path, program: Sequence[str] = SAMPLER
) -> Iterator[Cell]:
    """Start node, robot and client on a domain of their own; all are gone afterwards."""
    path, log = tiny_bundle(folder / "tiny", task), folder / "sampler.log"
    with own_domain() as env:
        process = start_sampler(
            env,
            log,
            program=program,
            autostart=True,
            discovery_s=0.0,
            bundle=path,
            use_sim_time=True,
            state_max_age_s=STALE_S,
            max_lag_s=3.0,
            answer_timeout_s=PATIENCE_S,
            tf_max_age_s=PATIENCE_S,
        )
        context = rclpy.Context()
        try:
            rclpy.init(context=context)
            robot, client = Robot(profile, kinematics, context), Client(context)
            yield Cell(client=client, robot=robot, process=process, env=env, bundle_path=path, log=log)
            robot.close()
            client.close()
        finally:
            rclpy.try_shutdown(context=context)
            stop_sampler(process)
