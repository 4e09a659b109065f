"""A stand-in cell and policy node processes on one executor, for tests of the node."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from lifecycle_msgs.msg import State
from policy_plant import Plant
from policy_process import PolicyProcess, wait_for
from rclpy.exceptions import InvalidHandle
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import ReliabilityPolicy

from refinery.robot_profile import load_robot_profile
from refinery.task import Task

PROFILE = "twin"
# A busy machine may starve the node for a while; what the thresholds do is tested without a clock.
LENIENT = {"stop_age_s": 0.5, "hold_periods": 10.0, "deadline_stop_ticks": 1000, "deadline_hold_ticks": 999}

Launch = Callable[..., tuple[Plant, PolicyProcess]]


@contextmanager
def launching(task: Task, bundle: Path, folder: Path, domain: int) -> Iterator[Launch]:
    """Yield what starts a plant and a policy node; both are gone afterwards."""
    rclpy.init(domain_id=domain)
    executor, processes, ended = SingleThreadedExecutor(), [], threading.Event()

    def spin() -> None:
        # Not executor.spin(): shutting an executor down under a spinning thread raises in that thread now and then.
        while not ended.is_set():
            # What a test destroys may be in what the executor was about to wait for.
            with suppress(InvalidHandle):
                executor.spin_once(timeout_sec=0.05)

    thread = threading.Thread(target=spin, daemon=True)

    def start(
        *,
        silent: tuple[str, ...] = (),
        estimate_qos: object = None,
        program: tuple[str, ...] = (),
        **parameters: object,
    ) -> tuple[Plant, PolicyProcess]:
        profile = load_robot_profile(PROFILE)
        qos = estimate_qos or ReliabilityPolicy.RELIABLE
        plant = Plant(task, profile, silent=silent, estimate_qos=qos)
        values = {"bundle": bundle, "robot_profile": PROFILE, **LENIENT, **parameters}
        process = PolicyProcess(plant, folder / "policy.log", program=program, **values)
        processes.append(process)
        executor.add_node(plant)
        thread.start()
        return plant, process

    try:
        yield start
    finally:
        ended.set()
        if thread.is_alive():
            thread.join()
        for process in processes:
            process.close()
        # Or the graph would still have it in the next test, as a second robot.
        for node in executor.get_nodes():
            node.destroy_node()
        executor.shutdown()
        rclpy.shutdown()


def make_active(plant: Plant, policy: PolicyProcess) -> None:
    """Bring a cell that other tests have used to where each of them begins: nothing is wrong, the node is active."""
    plant.heal()
    state = policy.state_id()
    if state == State.PRIMARY_STATE_UNCONFIGURED:
        assert policy.configure(), policy.log()
    if state != State.PRIMARY_STATE_ACTIVE:
        assert policy.activate(), policy.log()
    wait_for(lambda: policy.rearm().success, "re-arm")
    with plant.lock:
        plant.impedance_calls.clear()
        plant.targets.clear()


def at_rest(plant: Plant) -> bool:
    """Whether the last target is where the arm is, but for the motion of a message's time: no spring pulls."""
    with plant.lock:
        return bool(np.allclose(plant.targets[-1].batch().pos_m, plant.cell.tool.pos_m, atol=5e-3))


def begin(plant: Plant, policy: PolicyProcess) -> Any:
    """Place the arm and start an insertion; returns its goal once the policy is well on its way."""
    plant.place()
    plant.wait_for_steps(20)
    handle = policy.send()
    wait_for(lambda: len(plant.targets) > 15, "targets")
    return handle
