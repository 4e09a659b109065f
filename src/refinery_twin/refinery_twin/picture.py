"""``picture``: renders a running cell, twin or robot, with the sampler's markers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
import tyro
from geometry_msgs.msg import PoseStamped
from rcl_interfaces.srv import GetParameters
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker, MarkerArray

from refinery.bringup.graph import namespace_hint
from refinery.bringup.node_spec import check_namespace
from refinery.bringup.ros_start import init_ros
from refinery.bundled_task import MANIFEST, check_same_task, load_bundled_task
from refinery.config import check
from refinery.errors import ConfigError, NotReadyError, RefineryError
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.task import Task
from refinery_ros import qos
from refinery_ros.conversions import pose_from_message
from refinery_sim.task import named_task
from refinery_twin.decoration import Decoration
from refinery_twin.marker_shapes import shapes
from refinery_twin.render import render_cell, write_png
from refinery_twin.render_child import SOCKET

MARKERS = "refinery_sampler/markers"
"""Topic of the sampler's markers."""
PARAMETERS = "refinery_sampler/get_parameters"
"""Service that returns the sampler's bundle."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Take a picture of the running cell: the arm as measured, the socket as estimated, and the sampler's markers."""

    out: Path = Path("placement.png")
    """PNG file to write."""
    task: str | None = None
    """Name in config/tasks, path, or a bundle's directory: what part and socket look like; the task of the sampler's
    bundle if none is given. The part is drawn as if held straight."""
    namespace: str = ""
    """Namespace of the cell, as in /left; empty: none."""
    robot: str = "twin"
    """Name in config/robots or path: names of topics and joints."""
    camera: str = SOCKET
    """socket: close up, cell: the whole arm, close: hand and socket."""
    width: int = 1200
    """[pixels], 16 to 4096."""
    height: int = 800
    """[pixels], 16 to 4096."""
    wait_s: float = 10.0
    """Wait at most this long for the messages, [s]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check_namespace(self.namespace)
        cameras = (SOCKET, "cell", "close")
        check(self.camera in cameras, "camera", f"one of {', '.join(cameras)}", self.camera)
        check(16 <= self.width <= 4096 and 16 <= self.height <= 4096, "width, height", "16 to 4096", self.width)
        check(0 < self.wait_s < 3600, "wait_s", "a time > 0 s", self.wait_s)


class Listener:
    """Receives the newest message of every topic.

    Args:
        node: Gets the subscriptions.
        profile: Names of the topics.
    """

    def __init__(self, node: Node, profile: RobotProfile) -> None:
        self._node, self.newest = node, dict[str, Any]()
        self.joints = self._subscribe(JointState, profile.joint_state_topic, qos_profile_sensor_data)
        self.socket = self._subscribe(PoseStamped, profile.socket_pose_topic, qos.SOCKET_ESTIMATES)
        self.markers = self._subscribe(MarkerArray, MARKERS, qos.STATUS)

    def _subscribe(self, kind: type, topic: str, profile: QoSProfile) -> str:
        name = self._node.resolve_topic_name(topic)

        def keep(message: object) -> None:
            self.newest[name] = message

        self._node.create_subscription(kind, name, keep, profile)
        return name

    def wait(self, wait_s: float, spin: Callable[[], None]) -> None:
        """Spin until a message has arrived on every topic.

        Raises:
            NotReadyError: None has arrived on one of them.
        """
        end = time.monotonic() + wait_s
        while missing := [name for name in (self.joints, self.socket, self.markers) if name not in self.newest]:
            if time.monotonic() > end:
                hint = namespace_hint(self._node, PARAMETERS, "rcl_interfaces/srv/GetParameters")
                hint = hint or "is the cell running on this ROS_DOMAIN_ID? Was the sampler called (refinery sample)?"
                raise NotReadyError(f"no message on {missing[0]} within {wait_s:.0f} s; {hint}")
            spin()


def take(args: Args) -> Path:
    """Receive, render, write.

    Args:
        args: Command line.

    Returns:
        The picture's path.

    Raises:
        RefineryError: A topic is silent, a frame is not the arm's base, or nothing can be drawn here.
    """
    given = None if args.task is None else named_task(args.task)
    profile = load_robot_profile(args.robot)
    # Ctrl-C is for Python: the handler of rclpy would end the context under a call first.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node("refinery_picture", namespace=args.namespace or None)
        listener = Listener(node, profile)
        listener.wait(args.wait_s, lambda: rclpy.spin_once(node, timeout_sec=0.1))
        task = checked_task(given, sampler_bundle(node, args.wait_s))
    finally:
        rclpy.try_shutdown()
    joints, socket, markers = (listener.newest[name] for name in (listener.joints, listener.socket, listener.markers))
    if socket.header.frame_id != profile.base_frame:
        raise ConfigError(listener.socket, "header.frame_id", profile.base_frame, socket.header.frame_id)
    picture = render_cell(
        task,
        joints_rad(joints, profile),
        pose_from_message(socket.pose),
        width=args.width,
        height=args.height,
        camera=args.camera,
        decorations=decorations(markers.markers, profile.base_frame),
    )
    return write_png(args.out, picture)


def sampler_bundle(node: Node, wait_s: float) -> Path:
    """Get the sampler's bundle.

    Raises:
        NotReadyError: It does not answer.
    """
    client = node.create_client(GetParameters, PARAMETERS)
    future = client.call_async(GetParameters.Request(names=["bundle"])) if client.wait_for_service(wait_s) else None
    if future is not None:
        rclpy.spin_until_future_complete(node, future, timeout_sec=wait_s)
    answer = None if future is None else future.result()
    if answer is None:
        raise NotReadyError(f"{client.service_name} did not answer within {wait_s:.0f} s; is the sampler up?")
    return Path(answer.values[0].string_value)


def checked_task(given: Task | None, bundle: Path) -> Task:
    """Return the task to draw: a bundle's, or a given one where the bundle is on another machine.

    Args:
        given: The task that the user named, or None.
        bundle: The bundle of the running cell.

    Raises:
        ConfigError: Another task was given, or none, and the bundle is not here.
    """
    if not (bundle / MANIFEST).is_file():
        if given is None:
            hint = "name it; the sampler's bundle is not on this machine"
            raise ConfigError("picture", "task", f"the task of the bundle {bundle}", "none", hint)
        return given
    own = load_bundled_task(bundle)
    if given is not None:
        check_same_task(given, own, "picture", f"the bundle {bundle}")
    return own


def joints_rad(message: JointState, profile: RobotProfile) -> np.ndarray:
    """Return the arm's joints out of a message, shape (7,), [rad]; raises ConfigError where one is missing."""
    at = dict(zip(message.name, message.position, strict=True))
    missing = [name for name in profile.joint_names if name not in at]
    if missing:
        raise ConfigError(profile.joint_state_topic, "name", f"joint {missing[0]}", ", ".join(message.name))
    return np.array([at[name] for name in profile.joint_names])


def decorations(markers: list[Marker], base_frame: str) -> list[Decoration]:
    """Return all markers as shapes; raises ConfigError for one in another frame than the arm's base."""
    found = []
    for marker in markers:
        if marker.action == Marker.ADD and marker.header.frame_id != base_frame:
            raise ConfigError(MARKERS, "header.frame_id", base_frame, marker.header.frame_id)
        found += shapes(marker)
    return found


def main() -> None:
    """Entry point."""
    args = tyro.cli(Args, prog="picture")
    try:
        print(f"written: {take(args)}")
    except RefineryError as error:
        print(f"picture: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
