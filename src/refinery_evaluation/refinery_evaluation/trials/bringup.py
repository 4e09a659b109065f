"""The cell that trials run in: a twin brought up for them, or a cell that is running already."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from refinery.bringup.description import describe_bringup
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.ros_start import choose_own_domain, init_ros
from refinery.bringup.running import check_not_running
from refinery.bringup.supervisor import Supervisor
from refinery.errors import NotReadyError
from refinery_evaluation.trials.client import TrialClient

_NAME = "refinery_trials"


def _guard_times(realtime_factor: float) -> dict[str, float]:
    """Return the guard's time limits in simulated seconds, scaled to the same wall-clock times on a faster twin."""
    factor = max(1.0, realtime_factor)
    return {"refinery_policy.stop_age_s": 0.1 * factor, "refinery_policy.hold_periods": 2.0 * factor}


@contextlib.contextmanager
def twin_cell(
    bundle: Path,
    logs: Path,
    *,
    realtime_factor: float,
    task: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    more: Sequence[NodeSpec] = (),
) -> Iterator[tuple[Node, TrialClient]]:
    """Bring the twin up with sampler and policy node, and take it down whatever happens.

    Args:
        bundle: What both nodes run at first.
        logs: Where the nodes' output goes.
        realtime_factor: Speed of the twin.
        task: The bundle's task, to be sure of it.
        overrides: Parameters by ``node.parameter``.
        more: Nodes to start beside them.

    Yields:
        A node, and a client of the cell that is ready.

    Raises:
        NotReadyError: A node is missing, or ended.
    """
    choose_own_domain()
    chosen = {**_guard_times(realtime_factor), **(overrides or {})}
    specs = describe_bringup("twin", bundle=bundle, task=task, realtime_factor=realtime_factor, overrides=chosen)
    specs += more
    check_not_running([], "", nodes=specs)
    with Supervisor(specs, log_dir=logs, quiet=True) as nodes:

        def watch() -> None:
            dead = nodes.poll()
            if dead:
                raise NotReadyError(f"{'; '.join(str(item) for item in dead)}; see {logs}")

        with _client("", watch) as (node, client):
            client.wait_until_ready(120.0)
            yield node, client


@contextlib.contextmanager
def running_cell(namespace: str = "") -> Iterator[tuple[Node, TrialClient]]:
    """Connect to the sampler and the policy node of a cell that is up.

    Args:
        namespace: Of the cell, as in /left; empty: none.

    Yields:
        As :func:`twin_cell`.

    Raises:
        NotReadyError: A node is missing.
    """
    with _client(namespace, lambda: None) as (node, client):
        client.wait_until_ready(30.0, twin=False)
        yield node, client


@contextlib.contextmanager
def _client(namespace: str, watch: Any) -> Iterator[tuple[Node, TrialClient]]:
    # Without handlers of its own, which would shut the context down under a call before Ctrl-C gets through.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node(_NAME, namespace=namespace or None)
        yield node, TrialClient(node, watch)
    finally:
        rclpy.try_shutdown()
