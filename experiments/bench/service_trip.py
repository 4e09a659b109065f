"""Round trips of ``sample_init`` and of an empty service."""

from __future__ import annotations

import importlib.util
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_srvs.srv import Empty

from experiments.bench.echo_server import PROFILE
from experiments.bench.interleaved import Durations, Prepare, Step, interleave
from experiments.bench.processes import running, wait_for
from experiments.bench.still_cell import StillCell
from refinery.errors import RefineryError
from refinery.robot_profile import load_robot_profile
from refinery.task import Task
from refinery_msgs.srv import SampleInit
from refinery_ros.conversions import pose_stamped_message

_SAMPLER = "refinery_sampler_node.node"
_ASK_AGAIN_S = 5.0


def sampler_installed() -> bool:
    """Whether the workspace has the sampler node."""
    return importlib.util.find_spec("refinery_sampler_node") is not None


def measure(task: Task, bundle: Path, *, rounds: int) -> dict[str, Durations]:
    """Time the default request, one reachable state (``sample_init``), and an empty service (``empty``).

    Args:
        task: Of the bundle.
        bundle: The sampler's.
        rounds: Calls of each.
    """
    node, executor = Node("bench_client"), SingleThreadedExecutor()
    executor.add_node(node)
    frame, socket = load_robot_profile(PROFILE).base_frame, StillCell(task).socket
    request = SampleInit.Request(
        socket_pose=pose_stamped_message(socket, frame, node.get_clock().now().to_msg()), seed=0
    )
    sample, empty = node.create_client(SampleInit, "sample_init"), node.create_client(Empty, "/bench/empty/empty")

    def answers(client: Any, message: Any) -> bool:
        # A server that does not know the client's end of the answers yet drops the answer.
        future = client.call_async(message)
        executor.spin_until_future_complete(future, timeout_sec=_ASK_AGAIN_S)
        client.remove_pending_request(future)
        return bool(future.done())

    def calls(client: Any, message: Any) -> Prepare:
        def call() -> None:
            future = client.call_async(message)
            executor.spin_until_future_complete(future)
            if message is request and not future.result().success:
                raise RefineryError(f"bench: sample_init: {future.result().message}")

        def prepare() -> Step:
            return call

        return prepare

    parameters = {"bundle": bundle, "robot_profile": PROFILE, "autostart": "true", "discovery_s": 0.0}
    arguments = ["--ros-args", *(part for item in parameters.items() for part in ("-p", f"{item[0]}:={item[1]}"))]
    try:
        with (
            running(_SAMPLER, arguments) as first,
            running("experiments.bench.echo_server", ["empty"]) as second,
        ):
            for client, message in ((sample, request), (empty, Empty.Request())):
                name, processes = client.srv_name, [first, second]
                wait_for(partial(client.wait_for_service, 0.1), f"service {name}", processes)
                wait_for(partial(answers, client, message), f"answer of {name}", processes)
            candidates = {"sample_init": calls(sample, request), "empty": calls(empty, Empty.Request())}
            return interleave(candidates, rounds=rounds, warm_up=10)
    finally:
        executor.shutdown()
        node.destroy_node()
