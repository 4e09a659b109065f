"""Writes one bag: an MCAP file that is on the disk up to the last flush whatever happens, and its metadata.yaml."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

from mcap.writer import Writer

from refinery.errors import ConfigError
from refinery.storage import storage_error, write_whole
from refinery_evaluation.recording.metadata import BagContents, metadata_yaml
from refinery_evaluation.recording.topic import BagTopic

PART = ".part"
"""End of the name of a file that is being written, or that a kill left behind."""
_LIBRARY = "refinery"
_ADVICE = "free some space; the trial goes on without the rest of its recording"


class BagWriter:
    """One bag being written; :meth:`close` makes it a whole one.

    Args:
        folder: The bag's folder, which must not be there yet.

    Raises:
        ConfigError: It is there.
        StorageError: It cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.contents = BagContents(f"{folder.name}_0.mcap")
        if folder.exists():
            raise ConfigError(folder, "", "no bag there yet", "one", "choose another folder")
        self._part = folder / (self.contents.file + PART)
        self._channels: dict[str, int] = {}
        try:
            folder.mkdir(parents=True)
            self._file: BinaryIO = self._part.open("wb")
        except OSError as error:
            raise storage_error(folder, error, _ADVICE) from error
        self._writer = Writer(self._file)
        self._writer.start(profile="ros2", library=_LIBRARY)
        self._safe = 0
        self.flush()

    def write(self, topic: BagTopic, stamp_ns: int, data: bytes) -> None:
        """Add one serialised message.

        Args:
            topic: Its topic.
            stamp_ns: When it was received, [ns].
            data: As on the wire, with the CDR header.

        Raises:
            StorageError: The disk is full, or the like.
        """
        try:
            channel = self._channels.get(topic.name)
            if channel is None:
                channel = self._channels[topic.name] = self._register(topic)
            self._writer.add_message(channel, log_time=stamp_ns, publish_time=stamp_ns, data=data)
        except OSError as error:
            raise storage_error(self._part, error, _ADVICE) from error
        self.contents.count(topic, stamp_ns)

    def flush(self) -> None:
        """Bring all messages so far to the disk.

        Raises:
            StorageError: The disk is full, or the like.
        """
        try:
            self._writer.flush()
            os.fsync(self._file.fileno())
            self._safe = self._file.tell()
        except OSError as error:
            raise storage_error(self._part, error, _ADVICE) from error

    def close(self) -> None:
        """Finish the file and write ``metadata.yaml``.

        Raises:
            StorageError: The disk is full, or the like; what was flushed is there to be recovered.
        """
        try:
            self._writer.finish()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self.folder / self.contents.file)
        except OSError as error:
            raise storage_error(self._part, error, _ADVICE) from error
        write_whole(self.folder / "metadata.yaml", metadata_yaml(self.contents), _ADVICE)

    def give_up(self) -> None:
        """Close the file after an error, cut back to the last flush: half a chunk is of no use to any reader."""
        with contextlib.suppress(OSError):
            self._file.truncate(self._safe)
        with contextlib.suppress(OSError):
            self._file.close()

    def _register(self, topic: BagTopic) -> int:
        schema = self._writer.register_schema(topic.type, "ros2msg", topic.definition.encode())
        metadata = {"offered_qos_profiles": "\n".join(topic.qos.lines())}
        if topic.type_hash:
            metadata["topic_type_hash"] = topic.type_hash
        return self._writer.register_channel(topic.name, "cdr", schema, metadata)
