"""Keeps one bag after the other: everything, or only the seconds around a failure; never in the way of a trial."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from refinery.config import check
from refinery.errors import RefineryError, StorageError
from refinery_evaluation.recording.bag_writer import BagWriter
from refinery_evaluation.recording.ring import Ring, Sample
from refinery_evaluation.recording.topic import BagTopic


@dataclass(frozen=True, kw_only=True)
class RecorderSettings:
    """How much is kept, and how often it is brought to the disk."""

    flush_s: float = 1.0
    """So much is lost at most when the recorder is killed, > 0 [s]."""
    ring_s: float = 20.0
    """The ring keeps so much before a failure, > 0 [s]."""
    ring_bytes: int = 64_000_000
    """And not more than this, > 0."""
    after_s: float = 3.0
    """What is recorded after a failure, >= 0 [s]."""
    min_free_bytes: int = 50_000_000
    """Without so much free space no bag is begun, >= 0."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.flush_s > 0, "flush_s", "a positive time [s]", self.flush_s)
        check(self.after_s >= 0, "after_s", ">= 0 s", self.after_s)
        check(self.min_free_bytes >= 0, "min_free_bytes", ">= 0", self.min_free_bytes)


class Recorder:
    """Takes every message; times are of one steady clock, which the caller reads.

    Args:
        settings: See there.
    """

    def __init__(self, settings: RecorderSettings) -> None:
        self._settings = settings
        self._latched: dict[str, Sample] = {}
        self._ring: Ring | None = None
        self._writer: BagWriter | None = None
        self._flushed_s = 0.0
        self._ends_s: float | None = None
        self.folder: Path | None = None
        """The bag in progress; None if there is none."""
        self.problem = ""
        """Why the bag in progress is not whole; empty if it is."""
        self.messages = 0
        """Messages in the bag in progress, or in the last one."""
        self.lost = 0
        """Messages that should be in it and are not."""

    def begin(self, folder: Path, now_s: float, *, ring: bool = False) -> None:
        """Begin a bag; one that is still in progress is ended.

        Raises:
            RefineryError: It cannot be begun; messages count as lost from now on.
        """
        self._close()
        self.folder, self.problem, self.messages, self.lost = folder, "", 0, 0
        self._flushed_s, self._ends_s = now_s, None
        try:
            self._check_space(folder)
            if ring:
                self._ring = Ring(self._settings.ring_s, self._settings.ring_bytes)
            else:
                self._open()
        except RefineryError as error:
            self._fail(error)
            raise

    def end(self, now_s: float, *, keep: bool = True) -> None:
        """End the bag in progress; :attr:`problem` says whether it is whole.

        Args:
            now_s: The steady clock, [s].
            keep: A ring is written and goes on for ``after_s``; otherwise it is forgotten.
        """
        ring, self._ring = self._ring, None
        if ring is None:
            self._close()
            return
        if not keep:
            self.folder = None
            return
        try:
            self._open()
            for sample in ring.empty():
                self._write(*sample)
            self._flush(now_s)
        except RefineryError as error:
            self._fail(error)
        self._ends_s = now_s + self._settings.after_s

    def add(self, topic: BagTopic, stamp_ns: int, data: bytes) -> None:
        """Take one serialised message, received at a wall time [ns]; never raises."""
        if topic.latched:
            self._latched[topic.name] = (topic, stamp_ns, data)
        if self._ring is not None:
            self._ring.add(topic, stamp_ns, data)
        elif self._writer is not None:
            try:
                self._write(topic, stamp_ns, data)
            except RefineryError as error:
                self._fail(error)
        elif self.folder is not None:
            self.lost += 1

    def tick(self, now_s: float) -> None:
        """Bring what came to the disk, and end a bag whose last seconds have passed; call it a few times a second."""
        if self._writer is not None and now_s - self._flushed_s >= self._settings.flush_s:
            try:
                self._flush(now_s)
            except RefineryError as error:
                self._fail(error)
        if self._ends_s is not None and now_s >= self._ends_s:
            self._close()

    def _open(self) -> None:
        assert self.folder is not None
        self._writer = BagWriter(self.folder)
        # Whoever plays the bag needs them, and they came before it began.
        for sample in self._latched.values():
            self._write(*sample)

    def _write(self, topic: BagTopic, stamp_ns: int, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(topic, stamp_ns, data)
        self.messages += 1

    def _flush(self, now_s: float) -> None:
        assert self._writer is not None
        self._writer.flush()
        self._flushed_s = now_s

    def _close(self) -> None:
        writer, self._writer = self._writer, None
        self._ring = self._ends_s = self.folder = None
        if writer is not None:
            try:
                writer.close()
            except RefineryError as error:
                self.problem = self.problem or str(error)
                writer.give_up()

    def _fail(self, error: RefineryError) -> None:
        """Go on without a bag."""
        writer, self._writer = self._writer, None
        self._ring = None
        self.problem = str(error)
        self.lost += 1
        if writer is not None:
            writer.give_up()

    def _check_space(self, folder: Path) -> None:
        near = next(parent for parent in folder.absolute().parents if parent.is_dir())
        free, needed = shutil.disk_usage(near).free, self._settings.min_free_bytes
        if free < needed:
            reason = f"{free / 1e6:.0f} MB are free, expected {needed / 1e6:.0f} MB"
            raise StorageError(folder, reason, "free some space; the trial goes on without a recording")
