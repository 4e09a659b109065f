"""All measurements one after the other, as the figures that ``results/bench.json`` keeps."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy

from experiments.bench import lockstep, round_trip, service_trip, tick
from experiments.bench.conditions import Conditions, scheduled
from experiments.bench.interleaved import Durations, ratio
from experiments.bench.networks import LSTM_UNITS, onnx_policy, random_network
from refinery.bringup.ros_start import init_ros
from refinery.config import check
from refinery.task import Task
from refinery.testing.bundles import tiny_bundle
from refinery.tick import compiled
from refinery_ros.realtime import Realtime
from refinery_sim.part import part_geometry

Report = Callable[[str], None]
PAUSE_S = 0.001
"""Sleep before each timed run: the tick of a policy at 1000 Hz wakes up after about as long, [s]."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is measured; the defaults take five to six minutes."""

    ticks: int = 10_000
    """Ticks of each network after a pause of :data:`PAUSE_S`, and without one, >= 1."""
    slow_ticks: int = 150
    """Ticks of each network at the rate of the shipped policies, >= 1."""
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
        for name in ("ticks", "slow_ticks", "torch_steps", "round_trips", "calls"):
            check(getattr(self, name) >= 1, name, "at least 1", getattr(self, name))
        check(self.simulated_s > 0, "simulated_s", "a time > 0 s", self.simulated_s)


def measure(task: Task, effort: Effort, realtime: Realtime, report: Report) -> dict[str, Any]:
    """Measure everything that the installed packages allow; what is left out is reported.

    Args:
        task: The task.
        effort: How much.
        realtime: How the thread is scheduled that runs what takes turns, pauses in between. Round trips and the loop in
            lockstep, which do not pause, are scheduled as usual.
        report: Called with a line about each measurement.

    Returns:
        Keys and values for ``results/bench.json``.
    """
    return {
        **_ticks(task, effort, realtime, report),
        **_against_torch(task, effort, report),
        **_through_ros(task, effort, report),
        **_lockstep(task, effort, report),
    }


def _ticks(task: Task, effort: Effort, realtime: Realtime, report: Report) -> dict[str, Any]:
    figures: dict[str, Any] = {"tick_build": compiled.description()}
    overhead_us, over_bare_us = dict[str, float](), dict[str, float]()
    hot_us: dict[str, dict[str, float]] = {}
    with scheduled(realtime) as conditions:
        for name, lstm in (("mlp", False), ("lstm", True)):
            slow_s = 1.0 / task.control.policy_rate_hz
            slow = tick.against_bare_inference(task, lstm=lstm, rounds=effort.slow_ticks, pause_s=slow_s)
            taken = tick.against_bare_inference(task, lstm=lstm, rounds=effort.ticks, pause_s=PAUSE_S)
            hot = tick.against_bare_inference(task, lstm=lstm, rounds=effort.ticks, pause_s=0.0)
            over, own, bare = taken["tick"], taken["own"], taken["bare"]
            figures[f"tick_over_inference_{name}"] = round(ratio(taken, "tick", "bare"), 3)
            figures[f"tick_over_inference_{name}_cpu"] = round(over.cpu_median_us / bare.cpu_median_us, 3)
            figures[f"tick_over_inference_{name}_slow"] = round(ratio(slow, "tick", "bare"), 3)
            overhead_us[name] = round(over.cpu_median_us - own.cpu_median_us, 1)
            over_bare_us[name] = round(over.cpu_median_us - bare.cpu_median_us, 1)
            hot_us[name] = {who: round(each.cpu_median_us, 1) for who, each in hot.items()}
            report(f"{name}, one after the other: {_both_clocks(hot)}")
            report(f"{name}, {1e3 * PAUSE_S:.0f} ms apart: {_both_clocks(taken)}")
            report(f"{name}, {1e3 * slow_s:.0f} ms apart: {_both_clocks(slow)}")
        figures["tick_conditions"] = conditions.facts()
    # Of the larger network, which is the slower one.
    figures["tick_overhead_us"], figures["tick_over_bare_us"] = overhead_us, over_bare_us
    figures["tick_hot_us"] = hot_us
    figures["tick_p999_us"] = round(over.quantile_us(0.999), 1)
    figures["tick_p999_cpu_us"] = round(over.cpu_quantile_us(0.999), 1)
    figures["inference_p999_us"] = round(bare.quantile_us(0.999), 1)
    figures["inference_p999_cpu_us"] = round(bare.cpu_quantile_us(0.999), 1)
    report(f"tick: {figures['tick_build']}; {figures['tick_conditions']}")
    return figures


def _against_torch(task: Task, effort: Effort, report: Report) -> dict[str, Any]:
    torch = tick.against_torch(task, rounds=effort.torch_steps)
    if torch is None:
        report("torch: not installed, torch_over_tick is left as it was")
        return {}
    report(f"lstm: {_medians(torch)}")
    return {"torch_over_tick": round(ratio(torch, "torch", "tick"), 3)}


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
    conditions = Conditions()
    loop = lockstep.run(task, simulated_s=effort.simulated_s)
    share, cpu_share = loop.share_within_budget, loop.cpu_share_within_budget
    report(
        f"1 kHz in lockstep: {100 * share:.2f} % of {len(loop.ticks.seconds)} ticks within {tick.BUDGET_US:.0f} us, "
        f"{100 * cpu_share:.2f} % in processor time, {loop.simulated_s:.0f} s simulated in {loop.wall_s:.0f} s"
    )
    return {
        "lockstep_1khz": {
            "simulated_s": effort.simulated_s,
            "share_within_budget": round(share, 5),
            "cpu_share_within_budget": round(cpu_share, 5),
            "tick_p999_us": round(loop.ticks.quantile_us(0.999), 1),
            "tick_p999_cpu_us": round(loop.ticks.cpu_quantile_us(0.999), 1),
            "simulated_over_wall": round(loop.simulated_s / loop.wall_s, 3),
            "conditions": conditions.facts(),
        }
    }


def _medians(taken: dict[str, Durations]) -> str:
    return ", ".join(f"{name} {durations.median_us:.0f} us" for name, durations in taken.items())


def _both_clocks(taken: dict[str, Durations]) -> str:
    parts = [
        f"{name} {each.median_us:.1f} us (p99 {each.quantile_us(0.99):.0f}, p99.9 {each.quantile_us(0.999):.0f}; "
        f"processor time {each.cpu_median_us:.1f}, {each.cpu_quantile_us(0.99):.0f}, {each.cpu_quantile_us(0.999):.0f})"
        for name, each in taken.items()
    ]
    return ", ".join(parts)
