"""Work that goes on in a thread beside other work."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def beside(work: Callable[[], None], stop: Callable[[], None]) -> Iterator[None]:
    """Run ``work`` in a thread while the block runs, and wait for both.

    Args:
        work: What to do beside the block.
        stop: Ends it soon; called when the block fails or is interrupted.

    Raises:
        Exception: What the block raised, else what ``work`` raised.
    """
    failures: list[Exception] = []

    def run() -> None:
        try:
            work()
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
        thread.join()
    except BaseException:
        stop()
        thread.join()
        raise
    if failures:
        raise failures[0]
