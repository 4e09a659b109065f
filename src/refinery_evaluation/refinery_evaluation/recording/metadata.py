"""``metadata.yaml`` of a bag, version 9 as rosbag2 of Jazzy writes it."""

from __future__ import annotations

from dataclasses import dataclass, field

from refinery_evaluation.recording.topic import BagTopic

VERSION = 9
DISTRO = "jazzy"


@dataclass
class BagContents:
    """What is in a bag so far."""

    file: str
    """Name of the MCAP file."""
    counts: dict[str, int] = field(default_factory=dict)
    """Messages by topic."""
    topics: dict[str, BagTopic] = field(default_factory=dict)
    """The topics by name."""
    first_ns: int = 0
    """When the first message was received, [ns]."""
    last_ns: int = 0
    """When the last one was, [ns]."""
    ended_by: str = ""
    """What a recovered file breaks off with; empty for a whole one."""

    @property
    def messages(self) -> int:
        """All messages."""
        return sum(self.counts.values())

    def count(self, topic: BagTopic, stamp_ns: int) -> None:
        """Count one message."""
        if not self.counts:
            self.first_ns = self.last_ns = stamp_ns
        self.first_ns, self.last_ns = min(self.first_ns, stamp_ns), max(self.last_ns, stamp_ns)
        self.topics.setdefault(topic.name, topic)
        self.counts[topic.name] = self.counts.get(topic.name, 0) + 1


def metadata_yaml(contents: BagContents) -> str:
    """Return the text of ``metadata.yaml``."""
    span = [f"  duration:\n    nanoseconds: {contents.last_ns - contents.first_ns}"]
    span.append(f"  starting_time:\n    nanoseconds_since_epoch: {contents.first_ns}")
    lines = [
        "rosbag2_bagfile_information:",
        f"  version: {VERSION}",
        "  storage_identifier: mcap",
        *span,
        f"  message_count: {contents.messages}",
        "  topics_with_message_count:" + ("" if contents.topics else " []"),
    ]
    for name, topic in contents.topics.items():
        lines += [
            "    - topic_metadata:",
            f"        name: {name}",
            f"        type: {topic.type}",
            "        serialization_format: cdr",
            "        offered_qos_profiles:",
            *(f"          {line}" for line in topic.qos.lines()),
            f'        type_description_hash: "{topic.type_hash}"',
            f"      message_count: {contents.counts[name]}",
        ]
    lines += [
        '  compression_format: ""',
        '  compression_mode: ""',
        "  relative_file_paths:",
        f"    - {contents.file}",
        "  files:",
        f"    - path: {contents.file}",
        f"      starting_time:\n        nanoseconds_since_epoch: {contents.first_ns}",
        f"      duration:\n        nanoseconds: {contents.last_ns - contents.first_ns}",
        f"      message_count: {contents.messages}",
        "  custom_data: ~",
        f"  ros_distro: {DISTRO}",
    ]
    return "\n".join(lines) + "\n"
