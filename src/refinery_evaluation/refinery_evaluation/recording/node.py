"""The node ``refinery_recorder``: one bag a trial, begun and ended through ``~/record``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from refinery.errors import RefineryError
from refinery.robot_profile import load_robot_profile
from refinery_evaluation.recording.recorder import Recorder, RecorderSettings
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.recording.topic import BagTopic, Qos
from refinery_evaluation.recording.types import definition, message_class, type_hash
from refinery_msgs.srv import RecordBag
from refinery_ros.parameters import declare_all, parameter, read_all
from refinery_ros.process import StopSignal, run_node_process

NAME = "refinery_recorder"
_TICK_S = 0.2
_LOOK_EVERY = 5
_SPIN_S = 0.1
_DEPTH = 1000


@dataclass(frozen=True, kw_only=True)
class RecorderParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    robot_profile: str = parameter("", "Robot profile, a name in config/robots or a path: its topics are recorded")
    topics: str = parameter(
        "refinery_policy/tick,refinery_policy/episode,refinery_policy/status,refinery_sampler/status,tf,tf_static,"
        "robot_description,joint_states",
        "More topics to record, separated by commas",
    )
    recover: str = parameter("", "Recover the bags below this folder that a killed recorder left; empty: none")
    flush_s: float = parameter(RecorderSettings.flush_s, "Lost at most when the recorder is killed [s]", 0.05, 60.0)
    ring_s: float = parameter(RecorderSettings.ring_s, "Kept before a failure with ring [s]", 0.1, 3600.0)
    ring_mb: int = parameter(RecorderSettings.ring_bytes // 1_000_000, "At most, with ring [MB]", 1, 100_000)
    after_s: float = parameter(RecorderSettings.after_s, "Recorded after a failure with ring [s]", 0.0, 600.0)
    min_free_mb: int = parameter(
        RecorderSettings.min_free_bytes // 1_000_000, "Without so much free space no bag is begun [MB]", 0, 1_000_000
    )


class RecorderNode(Node):
    """Subscribes to what it is to record as soon as somebody publishes it, as raw bytes."""

    def __init__(self) -> None:
        super().__init__(NAME)
        declare_all(self, RecorderParameters)
        values = read_all(self, RecorderParameters)
        topics = load_robot_profile(values.robot_profile).topics if values.robot_profile else None
        names = [name for name in values.topics.split(",") if name]
        if topics is not None:
            robot = (topics.pose, topics.wrench, topics.robot_state, topics.socket_pose, topics.target_pose)
            names += [topic.name for topic in robot]
        self._wanted = {self.resolve_topic_name(name) for name in names}
        self._subscribed: dict[str, tuple[Subscription, BagTopic]] = {}
        self._ticks = 0
        self._recorder = Recorder(
            RecorderSettings(
                flush_s=values.flush_s,
                ring_s=values.ring_s,
                ring_bytes=1_000_000 * values.ring_mb,
                after_s=values.after_s,
                min_free_bytes=1_000_000 * values.min_free_mb,
            )
        )
        for bag, count in recover_all(Path(values.recover)) if values.recover else []:
            self.get_logger().warning(f"{bag}: left unfinished by a killed recorder, recovered with {count} messages")
        self.create_service(RecordBag, "~/record", self._on_record)
        self.create_timer(_TICK_S, self._tick)

    def finish(self) -> None:
        """End the bag in progress."""
        self._recorder.end(time.monotonic(), keep=False)

    def _on_record(self, request: RecordBag.Request, response: RecordBag.Response) -> RecordBag.Response:
        recorder, now_s = self._recorder, time.monotonic()
        # What came before the request belongs to the bag before it, however far the executor is behind.
        self._take_waiting()
        self._look()
        response.bag = request.bag or str(recorder.folder or "")
        try:
            if request.bag:
                recorder.begin(Path(request.bag), now_s, ring=request.ring)
            else:
                recorder.end(now_s, keep=request.keep)
        except RefineryError as error:
            self.get_logger().error(f"no recording: {error}")
        response.success = not recorder.problem
        response.message = recorder.problem or ("recording" if request.bag else "recorded")
        response.messages, response.lost = recorder.messages, recorder.lost
        return response

    def _tick(self) -> None:
        before = self._recorder.problem
        # All at once costs less than one by one: on a busy machine the executor alone would fall behind more and more.
        self._take_waiting()
        self._recorder.tick(time.monotonic())
        if self._recorder.problem and self._recorder.problem != before:
            self.get_logger().error(self._recorder.problem)
        self._ticks += 1
        if self._ticks % _LOOK_EVERY == 1:
            self._look()

    def _take_waiting(self) -> None:
        """Take what has arrived and the executor has not come to."""
        for subscription, topic in self._subscribed.values():
            handle = subscription.handle
            with handle:
                for _ in range(_DEPTH):
                    taken = handle.take_message(subscription.msg_type, True)
                    if taken is None:
                        break
                    self._add(topic, *taken)

    def _look(self) -> None:
        """Subscribe to what has got a publisher."""
        for name in self._wanted - self._subscribed.keys():
            offers = self.get_publishers_info_by_topic(name)
            if not offers:
                continue
            kind = offers[0].topic_type
            reliable = all(offer.qos_profile.reliability == ReliabilityPolicy.RELIABLE for offer in offers)
            latched = all(offer.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in offers)
            qos = Qos(
                reliability="reliable" if reliable else "best_effort",
                durability="transient_local" if latched else "volatile",
                depth=max(1, offers[0].qos_profile.depth),
            )
            topic = BagTopic(name=name, type=kind, definition=definition(kind), type_hash=type_hash(kind), qos=qos)
            profile = QoSProfile(
                depth=_DEPTH,
                reliability=ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT,
                durability=DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE,
            )
            try:
                cls = message_class(kind)
            except RefineryError as error:
                self.get_logger().warning(f"{name} is not recorded: {error}")
                self._wanted = self._wanted - {name}
                return
            subscription = self.create_subscription(cls, name, self._taker(topic), profile, raw=True)
            self._subscribed[name] = (subscription, topic)

    def _taker(self, topic: BagTopic) -> Callable[..., None]:
        return lambda data, info: self._add(topic, data, info)

    def _add(self, topic: BagTopic, data: bytes, info: dict[str, Any]) -> None:
        # The executor may have taken a message and call back only after later ones: a bag is read by time of arrival.
        self._recorder.add(topic, info["received_timestamp"] or time.time_ns(), data)


def main(args: list[str] | None = None) -> int:
    """Run the node until SIGINT or SIGTERM; returns the exit status."""
    return run_node_process(NAME, RecorderNode, _run, args)


def _run(node: RecorderNode, stop: StopSignal) -> int:
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    while not stop.is_set():
        executor.spin_once(timeout_sec=_SPIN_S)
    node.finish()
    executor.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
