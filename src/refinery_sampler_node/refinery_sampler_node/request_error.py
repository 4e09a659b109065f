"""The error of a request that cannot be served."""

from __future__ import annotations

from refinery.errors import RefineryError


class RequestError(RefineryError):
    """A request cannot be served; nothing was drawn and nothing moved.

    Args:
        code: Name of a constant of refinery_msgs/srv/SampleInit.
        message: One sentence: expected, got, what to do.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
