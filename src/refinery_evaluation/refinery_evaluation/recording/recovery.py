"""Makes bags that a killed recorder left unfinished into whole ones, up to the last flush; the old file is kept."""

from __future__ import annotations

from pathlib import Path

from mcap.reader import NonSeekingReader
from mcap.records import Channel, Schema

from refinery_evaluation.recording.bag_writer import PART, BagWriter
from refinery_evaluation.recording.qos_text import qos_of
from refinery_evaluation.recording.topic import BagTopic

LEFT = "left_by_a_kill"
"""Folder beside the bag, in which its unfinished file is kept."""


def unfinished(folder: Path) -> list[Path]:
    """Files below a folder that a killed recorder left, without those that were recovered."""
    return sorted(path for path in folder.rglob(f"*.mcap{PART}") if LEFT not in path.parts)


def recover(part: Path) -> tuple[Path, int]:
    """Write what is whole of an unfinished file into a bag of the same name.

    Args:
        part: The unfinished file, in its bag's folder.

    Returns:
        The bag's folder, and how many messages it has.

    Raises:
        StorageError: The bag cannot be written.
    """
    bag = part.parent
    kept = bag.parent / LEFT / bag.name
    kept.parent.mkdir(exist_ok=True)
    bag.rename(kept)
    writer = BagWriter(bag)
    with (kept / part.name).open("rb") as file:
        try:
            for schema, channel, message in NonSeekingReader(file).iter_messages(log_time_order=False):
                if schema is not None:
                    writer.write(_topic(schema, channel), message.log_time, message.data)
        except Exception as error:
            # A file that is cut off ends in errors of many kinds, of the format's, of struct and of the compression.
            writer.contents.ended_by = f"{type(error).__name__}: {error}"
    writer.close()
    return bag, writer.contents.messages


def recover_all(folder: Path) -> list[tuple[Path, int]]:
    """Recover every unfinished bag below a folder; returns the bags and their numbers of messages."""
    return [recover(part) for part in unfinished(folder)] if folder.is_dir() else []


def _topic(schema: Schema, channel: Channel) -> BagTopic:
    return BagTopic(
        name=channel.topic,
        type=schema.name,
        definition=schema.data.decode(),
        type_hash=channel.metadata.get("topic_type_hash", ""),
        qos=qos_of(channel.metadata.get("offered_qos_profiles", "")),
    )
