"""Messages that are known again in a bag, as an independent reader finds them there."""

from __future__ import annotations

from pathlib import Path

from rclpy.serialization import serialize_message
from rosbags.highlevel import AnyReader

from refinery_evaluation.recording.bag_writer import BagWriter
from refinery_evaluation.recording.topic import BagTopic
from refinery_msgs.msg import PolicyTick

KIND = "refinery_msgs/msg/PolicyTick"


def tick(step: int, weight: int = 0) -> bytes:
    """A serialised message that is known by its step; ``weight`` makes it larger."""
    message = PolicyTick(step=step, now_s=step / 15, action=[0.1 * step] * 6, acted=True, wrong_frame="x" * weight)
    data: bytes = serialize_message(message)
    return data


def steps_in(bag: Path) -> list[int]:
    """Steps of the messages in a bag, read by a library that knows nothing of ours, by the bag's own definitions."""
    with AnyReader([bag]) as reader:
        return [reader.deserialize(raw, kind.msgtype).step for kind, _, raw in reader.messages()]


def write(writer: BagWriter, topic: BagTopic, steps: range, *, flush_every: int = 10) -> None:
    """Write messages, flushed now and then."""
    for step in steps:
        writer.write(topic, step * 10_000_000, tick(step))
        if step % flush_every == flush_every - 1:
            writer.flush()
