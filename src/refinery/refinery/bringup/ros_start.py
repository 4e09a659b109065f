"""Starting ROS, with a one-line error if its log folder cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from refinery.errors import StorageError
from refinery.storage import check_writable

ADVICE = "free some space, or name another folder: ROS_LOG_DIR or ROS_HOME"
"""What to do if ROS cannot write its log."""


def ros_log_dir(env: Mapping[str, str]) -> Path:
    """Return the folder where ROS keeps its logs, as rcl_logging chooses it.

    Args:
        env: The environment.

    Raises:
        StorageError: There is no home and nothing else is named.
    """
    named = env.get("ROS_LOG_DIR") or ""
    home = env.get("ROS_HOME") or "~/.ros"
    folder = Path(named) if named else Path(home) / "log"
    if folder.parts[:1] != ("~",):
        return folder
    if not env.get("HOME"):
        raise StorageError(folder, "this user has no home (HOME is not set)", ADVICE)
    return Path(env["HOME"], *folder.parts[1:])


@contextmanager
def ros_logs_in(folder: Path) -> Iterator[None]:
    """Have ROS write its logs to a folder, unless the environment names one."""
    named = "ROS_LOG_DIR" in os.environ
    os.environ.setdefault("ROS_LOG_DIR", str(folder))
    try:
        yield
    finally:
        if not named:
            del os.environ["ROS_LOG_DIR"]


def choose_own_domain() -> None:
    """Choose a ROS domain for this process and its children, unless the environment names one.

    What runs on the twin alone must neither talk to a robot nor be answered by another twin on this machine.
    """
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))


def init_ros(**options: Any) -> None:
    """Call ``rclpy.init``.

    Args:
        options: Of ``rclpy.init``.

    Raises:
        StorageError: ROS cannot write its log, without which it does not start.
    """
    # Imported here, since the rest of the library works without ROS.
    import rclpy

    try:
        rclpy.init(**options)
    except RuntimeError as error:
        # An RCLError; its class is private to rclpy.
        if "logging" in str(error):
            folder = ros_log_dir(os.environ)
            check_writable(folder, ADVICE)
            raise StorageError(folder, " ".join(str(error).split()), ADVICE) from error
        raise
