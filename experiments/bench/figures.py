"""All measurements one after the other, as the figures that ``results/bench.json`` keeps."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy

from experiments.bench import lockstep, round_trip, service_trip, tick
from experiments.bench.interleaved import Durations, ratio
from experiments.bench.networks import LSTM_UNITS, onnx_policy, random_network
from refinery.bringup.ros_start import init_ros
from refinery.config import check
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery_sim.part import part_geometry

Report = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured; the defaults take two to three minutes."""

    ticks: int = 20_000
    """Ticks of each network, >= 1."""
    torch_steps: int = 5_000
    """Steps of eager torch, >= 1."""
    round_trips: int = 3_000
    """Round trips through ROS to each of echo and policy, >= 1."""
    calls: int = 300
    """Calls of each service, >= 1."""
    simulated_s: float = 60.0
    """Simulated time of the 1 kHz loop, [s], > 0."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name in ("ticks", "torch_steps", "round_trips", "calls"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        check(self.simulated_s > 0, "simulated_s", "a time > 0 s", self.simulated_s)


def measure(task: Task, effort: Effort, report: Report) -> dict[str, Any]:
    """Measure everything that the installed packages allow; what is left out is reported.

    Args:
        task: The task.
        effort: How much.
        report: Called with a line about each measurement.

    Returns:
        Keys and values for ``results/bench.json``.
    """
    return {
        **_ticks(task, effort, report),
        **_through_ros(task, effort, report),
        **_lockstep(task, effort, report),
    }


def _ticks(task: Task, effort: Effort, report: Report) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, lstm in (("mlp", False), ("lstm", True)):
        taken = tick.against_bare_inference(task, lstm=lstm, rounds=effort.ticks)
        figures[f"tick_over_inference_{name}"] = round(ratio(taken, "tick", "bare"), 3)
        report(f"{name}: {_medians(taken)}; tick p99.9 {taken['tick'].quantile_us(0.999):.0f} us")
    # Of the larger network, which is the slower one.
    figures["tick_p999_us"] = round(taken["tick"].quantile_us(0.999), 1)
    torch = tick.against_torch(task, rounds=effort.torch_steps)
    if torch is None:
        report("torch: not installed, torch_over_tick is left as it was")
    else:
        figures["torch_over_tick"] = round(ratio(torch, "torch", "tick"), 3)
        report(f"lstm: {_medians(torch)}")
    return figures


def _through_ros(task: Task, effort: Effort, report: Report) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    init_ros(args=[])
    try:
        with tempfile.TemporaryDirectory() as folder:
            content = onnx_policy(random_network(lstm_units=LSTM_UNITS))
            bundle = tiny_bundle(Path(folder) / "bundle", task, content, name="bench", part=part_geometry(task))
            trips = round_trip.measure(task, bundle, rounds=effort.round_trips)
            figures["ros_over_echo"] = round(ratio(trips, "policy", "echo"), 3)
            report(f"state to target through ROS: {_medians(trips)}")
            if service_trip.sampler_installed():
                calls = service_trip.measure(task, bundle, rounds=effort.calls)
                figures["sample_init_over_empty_service"] = round(ratio(calls, "sample_init", "empty"), 3)
                report(f"services: {_medians(calls)}")
            else:
                report("refinery_sampler_node: not installed, sample_init_over_empty_service is left as it was")
    finally:
        rclpy.try_shutdown()
    return figures


def _lockstep(task: Task, effort: Effort, report: Report) -> dict[str, Any]:
    if not lockstep.twin_installed():
        report("refinery_twin: not installed, lockstep_1khz is left as it was")
        return {}
    loop = lockstep.run(task, simulated_s=effort.simulated_s)
    share = loop.share_within_budget
    report(
        f"1 kHz in lockstep: {100 * share:.2f} % of {len(loop.ticks.seconds)} ticks within {tick.BUDGET_US:.0f} us, "
        f"{loop.simulated_s:.0f} s simulated in {loop.wall_s:.0f} s"
    )
    return {
        "lockstep_1khz": {
            "simulated_s": effort.simulated_s,
            "share_within_budget": round(share, 5),
            "tick_p999_us": round(loop.ticks.quantile_us(0.999), 1),
            "simulated_over_wall": round(loop.simulated_s / loop.wall_s, 3),
        }
    }


def _medians(taken: dict[str, Durations]) -> str:
    return ", ".join(f"{name} {durations.median_us:.0f} us" for name, durations in taken.items())
