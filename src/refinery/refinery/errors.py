"""Errors a user can act on: each names the place, what was expected, what came, and what to do."""

from __future__ import annotations


class RefineryError(Exception):
    """Base of every error Refinery raises on purpose; its message is meant for the user."""


class ConfigError(RefineryError):
    """A configuration file or value is not usable.

    Args:
        source: File (or parameter set) the value came from.
        key: Dotted key of the offending value, or an empty string for the file as a whole.
        expected: What would have been accepted, with its unit.
        got: What was found.
        hint: What to do about it.
    """

    def __init__(self, source: object, key: str, expected: str, got: object, hint: str = "") -> None:
        self.source = str(source)
        self.key = key
        self.expected = expected
        self.got = got
        self.hint = hint
        where = f"{source}: {key}" if key else f"{source}"
        super().__init__(f"{where}: expected {expected}, got {got!r}" + (f"; {hint}" if hint else ""))


class GainsError(RefineryError):
    """Weights were trained with other control settings than they are to be used with, or do not say with which."""


class BundleError(RefineryError):
    """A bundle is missing, incomplete, altered or does not fit the task; it was not loaded."""


class NotReadyError(RefineryError):
    """Something that must be there before the arm may move is not; the message names it."""


class StorageError(RefineryError, OSError):
    """Something could not be written; what was there before is still there, and nothing half-written is.

    It is an OSError too: who goes on without what was to be written treats both alike.

    Args:
        path: What could not be written.
        reason: Why.
        todo: What to do about it.
    """

    def __init__(self, path: object, reason: str, todo: str) -> None:
        self.path, self.reason, self.todo = path, reason, todo
        super().__init__(f"{path}: could not be written: {reason}; {todo}")


class DamagedFileError(RefineryError):
    """A file is not what was written: cut, emptied, altered, or something else altogether."""
