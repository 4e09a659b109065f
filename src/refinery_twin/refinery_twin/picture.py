"""``picture``: one picture of a running cell, of the twin or of a robot, with what the sampler says and draws."""

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
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import JointState
from visualization_msgs.msg import Marker, MarkerArray

from refinery.config import check
from refinery.errors import ConfigError, NotReadyError, RefineryError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.ros_start import init_ros
from refinery.task import load_task
from refinery_twin.decoration import Decoration
from refinery_twin.marker_shapes import shapes
from refinery_twin.messages import pose_from
from refinery_twin.render import render_cell, write_png
from refinery_twin.render_child import SOCKET

MARKERS = "/refinery_sampler/markers"
"""Where the sampler draws."""


@dataclass(frozen=True, kw_only=True)
class Args:
    """Take a picture of the running cell: the arm as measured, the socket as estimated, and the sampler's markers."""

    out: Path = Path("placement.png")
    """PNG file to write."""
    task: str = "peg_rect"
    """Name in config/tasks or path: what the part and the socket look like. The part is drawn as if held straight."""
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
        cameras = (SOCKET, "cell", "close")
        check(self.camera in cameras, "camera", f"one of {', '.join(cameras)}", self.camera)
        check(16 <= self.width <= 4096 and 16 <= self.height <= 4096, "width, height", "16 to 4096", self.width)
        check(0 < self.wait_s < 3600, "wait_s", "a time > 0 s", self.wait_s)


class Listener:
    """Hears the newest message of every topic.

    Args:
        node: Subscribes.
        profile: Has the names of the topics.
    """

    def __init__(self, node: Node, profile: RobotProfile) -> None:
        self._node, self.heard = node, dict[str, Any]()
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.joints = self._listen(JointState, profile.joint_state_topic, qos_profile_sensor_data)
        self.socket = self._listen(PoseStamped, profile.socket_pose_topic, QoSProfile(depth=10))
        self.markers = self._listen(MarkerArray, MARKERS, latched)

    def _listen(self, kind: type, topic: str, qos: QoSProfile) -> str:
        name = self._node.resolve_topic_name(topic)

        def hear(message: object) -> None:
            self.heard[name] = message

        self._node.create_subscription(kind, name, hear, qos)
        return name

    def wait(self, wait_s: float, spin: Callable[[], None]) -> None:
        """Spin until every topic was heard.

        Raises:
            NotReadyError: One was not.
        """
        end = time.monotonic() + wait_s
        while missing := [name for name in (self.joints, self.socket, self.markers) if name not in self.heard]:
            if time.monotonic() > end:
                raise NotReadyError(
                    f"no message on {missing[0]} within {wait_s:.0f} s; is the cell up on this ROS_DOMAIN_ID, and has "
                    "the sampler been asked for something (refinery sample)?"
                )
            spin()


def take(args: Args) -> Path:
    """Listen, draw, write.

    Args:
        args: Command line.

    Returns:
        The picture's path.

    Raises:
        RefineryError: A topic is silent, a frame is not the arm's base, or nothing can be drawn here.
    """
    task = load_task(config_file("tasks", args.task))
    profile = load_robot_profile(args.robot)
    # Ctrl-C is for Python: the handler of rclpy would end the context under a call first.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node("refinery_picture")
        listener = Listener(node, profile)
        listener.wait(args.wait_s, lambda: rclpy.spin_once(node, timeout_sec=0.1))
    finally:
        rclpy.try_shutdown()
    joints, socket, markers = (listener.heard[name] for name in (listener.joints, listener.socket, listener.markers))
    if socket.header.frame_id != profile.base_frame:
        raise ConfigError(listener.socket, "header.frame_id", profile.base_frame, socket.header.frame_id)
    picture = render_cell(
        task,
        joints_rad(joints, profile),
        pose_from(socket.pose),
        width=args.width,
        height=args.height,
        camera=args.camera,
        decorations=decorations(markers.markers, profile.base_frame),
    )
    return write_png(args.out, picture)


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
