"""A second cell that got past ``refinery up``'s look at the graph: its nodes refuse, the first goes on."""

from __future__ import annotations

import time

import pytest
import rclpy

from refinery.bringup.description import describe_bringup
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.supervisor import Supervisor
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.trials.client import TrialClient
from refinery_msgs.srv import SampleInit
from refinery_ros.testing.graph import own_domain

pytestmark = pytest.mark.ros
PATIENCE_S = 60.0
"""Longest wait for anything; only a failure takes this long."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


@pytest.fixture(scope="module")
def first(bundle, tmp_path_factory):
    """A running cell, with no more states than it needs."""
    specs = describe_bringup("twin", bundle=bundle, overrides={"refinery_twin.state_rate_hz": 50.0})
    with own_domain(), Supervisor(specs, log_dir=tmp_path_factory.mktemp("first"), quiet=True) as up:
        rclpy.init()
        try:
            client = TrialClient(rclpy.create_node("test_client"), lambda: None)
            client.wait_until_ready(PATIENCE_S)
            yield up, client
        finally:
            rclpy.try_shutdown()


def until(holds, what):
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, f"in vain: {what()}"
        time.sleep(0.1)


def test_the_nodes_of_a_second_cell_refuse_and_the_first_cell_goes_on(first, bundle, tmp_path):
    up, client = first
    says = {
        "refinery_twin": "got /refinery_twin; end the other cell",
        "move_group": "another /move_group; end the other cell",
        "refinery_sampler": "/refinery_sampler; end the other cell",
        "refinery_policy": "/refinery_policy; end the other cell",
    }
    specs = describe_bringup("twin", bundle=bundle)
    assert [spec.name for spec in specs] == list(says)
    logs = {name: tmp_path / f"{name}.log" for name in says}
    with Supervisor(specs, log_dir=tmp_path, quiet=True):
        for name, log in logs.items():
            until(lambda log=log, name=name: says[name] in log.read_text(), log.read_text)
        assert not up.poll()
    for log in logs.values():
        assert not any(word in log.read_text() for word in ("start planning", ": active"))
    client.wait_until_ready(PATIENCE_S)


def test_another_name_does_not_make_a_second_server_a_good_one(first, bundle, tmp_path):
    says = {
        "refinery_sampler": "service sample_init: expected no server",
        "refinery_policy": "action insert: expected no server",
    }
    others = [
        NodeSpec(
            package=spec.package,
            executable=spec.executable,
            name=f"another_{spec.name}",
            parameters=spec.parameters,
            lifecycle=True,
        )
        for spec in describe_bringup("twin", bundle=bundle)
        if spec.name in says
    ]
    with Supervisor(others, log_dir=tmp_path, quiet=True):
        for name, sentence in says.items():
            log = tmp_path / f"another_{name}.log"
            until(lambda log=log, sentence=sentence: sentence in log.read_text(), log.read_text)
            assert f"/{name}" in log.read_text()
    assert not first[0].poll()


def test_the_first_cell_still_answers_itself(first):
    _, client = first
    socket = client.new_cell(7)
    answer: SampleInit.Response = client.sample("best", 7, socket)
    assert answer.success, answer.message
