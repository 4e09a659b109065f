"""A correction is applied if it is for the loaded task, frame and scale, and ignored with the reason otherwise."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from refinery.rotations import Poses
from refinery.task import Task
from refinery_msgs.msg import SocketCorrection
from refinery_ros import qos
from refinery_ros.testing.graph import own_domain
from refinery_sampler_node.inputs.socket_corrections import TOPIC, SocketCorrections

pytestmark = pytest.mark.ros
ESTIMATE = Poses.from_xyz_rpy([0.5, 0.02, 0.1], [0.0, 0.0, 0.1])


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    with own_domain():
        context = rclpy.Context()
        rclpy.init(context=context)
        made = rclpy.create_node("corrections_test", context=context)
        yield made
        made.destroy_node()
        rclpy.shutdown(context=context)


def test_the_newest_that_fits_is_applied_and_the_others_are_ignored(node: Node, task: Task) -> None:
    corrections = SocketCorrections(node, task=task, base_frame="base")
    out = node.create_publisher(SocketCorrection, TOPIC, qos.STATUS)
    executor = SingleThreadedExecutor(context=node.context)
    executor.add_node(node)

    def tell(**values: Any) -> None:
        message = SocketCorrection(task=task.name, applied=True, x_m=3e-4, y_m=-1e-4, message="the newest")
        message.header.frame_id = values.pop("frame", "base")
        for name, value in values.items():
            setattr(message, name, value)
        before = corrections.description
        out.publish(message)
        end = time.monotonic() + 30.0
        while corrections.description == before and time.monotonic() < end:
            executor.spin_once(timeout_sec=0.1)

    def taken_off() -> np.ndarray:
        return ESTIMATE.pos_m[0] - corrections.apply(ESTIMATE).pos_m[0]

    assert "no message on" in corrections.description
    np.testing.assert_array_equal(taken_off(), 0.0)
    for problem, values in (
        ("task: expected 'peg_rect'", {"task": "another"}),
        ("frame_id: expected 'base', got 'world'", {"frame": "world"}),
        ("expected at most 0.75 mm", {"x_m": 2e-3}),
        ("got nan mm", {"y_m": float("nan")}),
    ):
        tell()
        assert corrections.description == "the newest"
        np.testing.assert_allclose(taken_off(), [3e-4, -1e-4, 0.0], atol=1e-12)
        tell(**values)
        assert problem in corrections.description
        np.testing.assert_array_equal(taken_off(), 0.0)
    executor.shutdown()
    corrections.destroy()
