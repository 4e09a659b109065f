"""Twin, sampler, policy node and recorder, all real, and a client of theirs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import rclpy

from refinery.bringup.description import describe_bringup
from refinery.bringup.supervisor import Supervisor
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.trial_recorder import recorder_spec


@contextlib.contextmanager
def running_cell(
    bundle: Path, records: Path, logs: Path, task: Path | None = None, parameters: Mapping[str, Any] | None = None
) -> Iterator[TrialClient]:
    """Bring the cell up, at up to twice real time.

    Args:
        bundle: For sampler and policy node.
        records: Where the policy node writes the ticks of every insertion.
        logs: Where the nodes' output goes.
        task: File of the twin's task; the one in config/ that the bundle names, if None.
        parameters: More of them, by ``node.parameter``.
    """
    # Three times real time on a machine that runs other tests: what is too late for a robot is not what is tested here.
    patient = {"stop_age_s": 5.0, "hold_periods": 75.0, "estimate_age_s": 5.0}
    patient |= {"deadline_hold_ticks": 5000, "deadline_stop_ticks": 5000, "record_dir": str(records)}
    overrides = {f"refinery_policy.{name}": value for name, value in patient.items()}
    # A second of waiting for this machine is three of the cell's.
    overrides |= {"refinery_sampler.state_max_age_s": 10.0, "refinery_sampler.max_lag_s": 3.0}
    # Each state costs every node some time; several per policy step are enough.
    overrides |= {"refinery_twin.state_rate_hz": 100.0}
    overrides |= parameters or {}
    chosen = None if task is None else str(task)
    specs = describe_bringup("twin", bundle=bundle, task=chosen, realtime_factor=2.0, overrides=overrides)
    specs.append(recorder_spec("twin", records))
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(Supervisor(specs, log_dir=logs, quiet=True))
        rclpy.init()
        stack.callback(rclpy.try_shutdown)

        def watch() -> None:
            assert not nodes.poll(), f"{nodes.poll()}; logs in {logs}"

        client = TrialClient(rclpy.create_node("end_to_end_test"), watch)
        client.wait_until_ready(120.0)
        yield client
