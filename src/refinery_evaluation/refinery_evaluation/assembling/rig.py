"""The cell of a sequence on the twin, all real nodes; those of assembly and policy can be killed at any moment."""

from __future__ import annotations

import contextlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import PoseStamped
from rclpy.action import ActionClient
from rclpy.node import Node

from refinery.bringup.description import describe_bringup
from refinery.bringup.node_names import ASSEMBLY, POLICY
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.process import NodeProcess
from refinery.bringup.supervisor import Supervisor
from refinery.errors import NotReadyError
from refinery.rotations import Poses
from refinery_msgs.action import Assemble
from refinery_msgs.msg import PartState
from refinery_msgs.srv import TwinParts, TwinTrial
from refinery_ros import qos
from refinery_ros.conversions import pose_from_message

_READY_S = 120.0
_SPIN_S = 0.02


def patient(realtime_factor: float) -> dict[str, Any]:
    """Return parameters for a machine that is busy with other work: what is late for a robot is not in question."""
    factor = max(1.0, realtime_factor)
    late = {"stop_age_s": 2.0 * factor, "hold_periods": 30.0 * factor, "estimate_age_s": 2.0 * factor}
    late |= {"deadline_hold_ticks": 5000, "deadline_stop_ticks": 5000}
    # A killed node that is started anew discovers the others late.
    late |= {"autostart_timeout_s": _READY_S}
    overrides: dict[str, Any] = {f"refinery_policy.{name}": value for name, value in late.items()}
    overrides |= {"refinery_assembly.ready_timeout_s": _READY_S}
    return overrides | {"refinery_sampler.state_max_age_s": 10.0, "refinery_sampler.max_lag_s": 2.0 * factor}


class AssemblyRig:
    """A client of the cell, and the life of the nodes that may be killed.

    Args:
        node: Carries the clients.
        specs: The nodes that may be killed, in the order to start them.
        logs: Where their output goes.
        watch: Called while waiting; raises if another node has ended.
    """

    def __init__(self, node: Node, specs: Sequence[NodeSpec], logs: Path, watch: Callable[[], None]) -> None:
        self.node = node
        """Carries the clients."""
        self._specs, self._logs, self._watch = {spec.name: spec for spec in specs}, logs, watch
        self._processes: dict[str, NodeProcess] = {}
        self._starts = 0
        self._assemble = ActionClient(node, Assemble, "assemble")
        self._parts = node.create_client(TwinParts, "twin/parts")
        self._trial = node.create_client(TwinTrial, "twin/trial")
        self._bases: deque[Poses] = deque(maxlen=200)
        node.create_subscription(PoseStamped, "base_pose", self._on_base, qos.SOCKET_ESTIMATES)
        self.phases: list[tuple[int, str]] = []
        """Step and phase of every feedback of the goal in progress."""

    def start(self, name: str = ASSEMBLY) -> None:
        """Start a node, and wait until the assembly node serves."""
        folder = self._logs / f"{name}_{self._starts}"
        folder.mkdir(parents=True)
        self._starts += 1
        self._processes[name] = NodeProcess(self._specs[name], dict(os.environ, PYTHONUNBUFFERED="1"), folder)
        if name == ASSEMBLY:
            self.wait_for(self._assemble.server_is_ready, "the action assemble")

    def kill(self, name: str = ASSEMBLY, *, noticed: bool = True) -> None:
        """Kill a node, as kill -9 does.

        Args:
            name: The node.
            noticed: Wait until the graph has noticed that the assembly node is gone.
        """
        self._processes.pop(name).kill()
        if noticed and name == ASSEMBLY:
            self.wait_for(lambda: not self._assemble.server_is_ready(), "end of the action assemble")

    def stop(self) -> None:
        """End the nodes in order, the last one first."""
        while self._processes:
            self._processes.popitem()[1].stop()

    def assemble(
        self, run: str, seed: int, until: Callable[[], bool] = lambda: False, *, sequence: str = ""
    ) -> Assemble.Result | None:
        """Run or go on with a run.

        Args:
            run: Its name.
            seed: Of a new run.
            until: Polled; the goal is left to itself when it is true.
            sequence: Name or hash, to be sure.

        Returns:
            The result; None if it was left.

        Raises:
            NotReadyError: The goal was rejected, or a node has ended.
        """
        self.phases.clear()

        def note(message: Any) -> None:
            self.phases.append((message.feedback.step, message.feedback.phase))

        goal = Assemble.Goal(sequence=sequence, run=run, seed=seed)
        end_s = time.monotonic() + _READY_S
        while True:
            sent = self._assemble.send_goal_async(goal, feedback_callback=note)
            self.wait_for(sent.done, "answer to the goal")
            future = sent.result().get_result_async()
            while not future.done():
                if until():
                    return None
                self.spin()
            result: Assemble.Result = future.result().result
            # Until its lifecycle has made it active the node answers so.
            if "is not active" not in result.outcome.message or time.monotonic() > end_s:
                return result
            self.pause(0.2)

    def truth(self) -> dict[str, PartState]:
        """Return where every part really is, by part."""
        return {part.part: part for part in self._answered(self._parts, TwinParts.Request()).parts}

    def parts_in_base(self) -> dict[str, Poses]:
        """Return where the parts really are that are not in their trays any more.

        Returns:
            Their tip frames in the frame of the base as it is estimated on average, by part.
        """
        self.wait_for(lambda: len(self._bases) > 0, "estimate of the base")
        quat = self._bases[-1].quat_xyzw[0]
        base = Poses.single(np.vstack([pose.pos_m for pose in self._bases]).mean(axis=0), quat)
        taken = {name: part for name, part in self.truth().items() if part.state != PartState.IN_TRAY}
        return {name: base.inverse() @ pose_from_message(part.pose.pose) for name, part in taken.items()}

    def _on_base(self, message: PoseStamped) -> None:
        self._bases.append(pose_from_message(message.pose))

    def reset(self, seed: int) -> None:
        """Put all parts back into their trays, and the base elsewhere."""
        self._bases.clear()
        self._answered(self._trial, TwinTrial.Request(seed=seed, hold_plug=True))

    def spin(self) -> None:
        """Handle one message, or wait for one a moment."""
        self._watch()
        if dead := [found for process in self._processes.values() if (found := process.dead()) is not None]:
            raise NotReadyError("; ".join(map(str, dead)))
        rclpy.spin_once(self.node, timeout_sec=_SPIN_S)

    def pause(self, duration_s: float) -> None:
        """Spin for some time, wall clock, [s]."""
        end_s = time.monotonic() + duration_s
        while time.monotonic() < end_s:
            self.spin()

    def wait_for(self, true: Callable[[], bool], what: str) -> None:
        """Spin until something is true.

        Raises:
            NotReadyError: It was not within the patience.
        """
        end_s = time.monotonic() + _READY_S
        while not true():
            if time.monotonic() > end_s:
                raise NotReadyError(f"no {what} within {_READY_S:g} s; see {self._logs}")
            self.spin()

    def _answered(self, client: Any, request: Any) -> Any:
        self.wait_for(client.service_is_ready, client.srv_name)
        future = client.call_async(request)
        self.wait_for(future.done, f"answer of {client.srv_name}")
        answer = future.result()
        if not answer.success:
            raise NotReadyError(f"{client.srv_name}: {answer.message}")
        return answer


@contextlib.contextmanager
def assembly_rig(
    sequence: str, bundles: Path, folder: Path, *, realtime_factor: float = 2.0, seed: int = 0
) -> Iterator[AssemblyRig]:
    """Bring the cell up and take it down whatever happens; on the ROS domain of this process.

    Args:
        sequence: Name or path.
        bundles: Folder of its bundles.
        folder: Gets the logs and the journal.
        realtime_factor: Speed of the twin.
        seed: Of the twin.

    Yields:
        The rig, with all nodes started.
    """
    overrides = patient(realtime_factor) | {"refinery_assembly.journal": str(folder / "journal.sqlite3")}
    specs = describe_bringup(
        "twin",
        sequence=sequence,
        bundles=bundles,
        seed=seed,
        realtime_factor=realtime_factor,
        overrides=overrides,
    )
    cell = [spec for spec in specs if spec.name not in (POLICY, ASSEMBLY)]
    with contextlib.ExitStack() as stack:
        nodes = stack.enter_context(Supervisor(cell, log_dir=folder / "logs", quiet=True))

        def watch() -> None:
            if dead := nodes.poll():
                raise NotReadyError(f"{'; '.join(map(str, dead))}; see {folder / 'logs'}")

        rclpy.init()
        stack.callback(rclpy.try_shutdown)
        rig = AssemblyRig(rclpy.create_node("refinery_assembly_rig"), specs, folder / "logs", watch)
        stack.callback(rig.stop)
        for name in (POLICY, ASSEMBLY):
            rig.start(name)
        yield rig
