"""A whole cell in a namespace: everything in it is reached there, and nothing of it is outside."""

from __future__ import annotations

import pytest
import rclpy

from refinery.bringup.description import describe_bringup
from refinery.bringup.supervisor import Supervisor
from refinery.cli import sample
from refinery.errors import NotReadyError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_evaluation.trials.client import TrialClient
from refinery_msgs.msg import Outcome
from refinery_ros.testing.graph import own_domain
from refinery_twin import picture

pytestmark = pytest.mark.ros
NAMESPACE = "/left"
GLOBAL = {"/diagnostics", "/parameter_events", "/rosout", "/tf", "/tf_static"}
"""Topics that ROS means to be shared by everything on a graph."""
PATIENCE_S = 120.0
"""Longest wait for anything; only a failure takes this long."""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return tiny_bundle(tmp_path_factory.mktemp("bundle") / "tiny", load_task(config_file("tasks", "peg_rect")))


@pytest.fixture(scope="module")
def cell(bundle, tmp_path_factory):
    """A running cell under /left, and its log folder."""
    logs = tmp_path_factory.mktemp("left")
    # What is too late for a robot is not what is tested here.
    patient = {"stop_age_s": 5, "hold_periods": 75, "estimate_age_s": 5}
    patient |= {"deadline_hold_ticks": 5000, "deadline_stop_ticks": 5000}
    overrides = {f"refinery_policy.{name}": value for name, value in patient.items()}
    overrides["refinery_twin.state_rate_hz"] = 100.0
    specs = describe_bringup("twin", bundle=bundle, namespace=NAMESPACE, overrides=overrides)
    with own_domain(), Supervisor(specs, log_dir=logs, quiet=True) as nodes:
        yield nodes


@pytest.fixture
def client(cell):
    """A client in the cell's namespace."""
    rclpy.init()
    try:
        node = rclpy.create_node("test_client", namespace=NAMESPACE)

        def watch() -> None:
            assert not cell.poll(), cell.poll()

        client = TrialClient(node, watch)
        client.wait_until_ready(PATIENCE_S)
        yield node, client
    finally:
        rclpy.try_shutdown()


def test_place_and_insert_work_and_nothing_of_the_cell_is_outside(client):
    node, trials = client
    trials.new_cell(3)
    placed = trials.place("best", 3)
    assert placed.outcome.value == Outcome.SUCCESS, placed.outcome.message
    inserted = trials.insert(3)
    assert inserted.ticks > 0, inserted.outcome.message
    assert inserted.outcome.value in (Outcome.SUCCESS, Outcome.FAILED, Outcome.STOPPED)
    assert trials.truth().success
    topics = {name for name, _ in node.get_topic_names_and_types()}
    services = {name for name, _ in node.get_service_names_and_types()}
    assert {name for name in topics if not name.startswith(f"{NAMESPACE}/")} <= GLOBAL
    assert all(name.startswith(f"{NAMESPACE}/") for name in services)
    assert {f"{NAMESPACE}/clock", f"{NAMESPACE}/socket_pose"} <= topics


def test_the_commands_reach_it_by_its_namespace_only_and_say_so(client, capsys, tmp_path):
    rclpy.try_shutdown()
    assert sample.main(["--namespace", NAMESPACE, "--timeout-s", str(PATIENCE_S)]) == 0
    assert "task peg_rect" in capsys.readouterr().out
    with pytest.raises(
        NotReadyError, match=r"no service /sample_init .*; /left/sample_init is there: --namespace /left"
    ):
        sample.main(["--timeout-s", "6"])
    with pytest.raises(NotReadyError, match=r"no message on .*; /left/.* is there: --namespace /left"):
        picture.take(picture.Args(out=tmp_path / "none.png", wait_s=6.0))
    written = picture.take(picture.Args(out=tmp_path / "cell.png", namespace=NAMESPACE, wait_s=PATIENCE_S))
    assert written.stat().st_size > 1000


@pytest.mark.usefixtures("client")
def test_a_client_outside_is_told_where_the_cell_is():
    outside = TrialClient(rclpy.create_node("outside"), lambda: None)
    with pytest.raises(NotReadyError, match=r"service /twin/trial; /left/twin/trial is there: --namespace /left"):
        outside.wait_until_ready(6.0)
