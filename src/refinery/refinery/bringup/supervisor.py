"""Starts, monitors and stops the nodes of a bring-up without ``ros2 launch``; none outlives it, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType

from refinery.bringup import watchdog
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.output import OutputEcho
from refinery.bringup.process import DeadNode, NodeProcess, command_line
from refinery.storage import about_storage, check_writable, storage_error

_POLL_S = 0.05
LOGS_ADVICE = "free some space, or name another folder: --log-dir, ROS_LOG_DIR or ROS_HOME"


class Supervisor:
    """The processes of a bring-up; a context manager that starts and stops them.

    Args:
        specs: Nodes in the order to start them; they are stopped in reverse order, so that the policy can hand the arm
            back to a robot that still runs.
        env: Environment of the nodes; this process's if none.
        log_dir: Gets ``<node>.log`` and ``<node>.yaml``; a temporary folder if none.
        quiet: Do not repeat the nodes' output on the terminal.
    """

    def __init__(
        self,
        specs: Sequence[NodeSpec],
        *,
        env: Mapping[str, str] | None = None,
        log_dir: Path | None = None,
        quiet: bool = False,
    ) -> None:
        self.specs = list(specs)
        self.log_dir = Path(tempfile.mkdtemp(prefix="refinery-")) if log_dir is None else log_dir.resolve()
        # ROS's own logs go there too, unless another place is named: a node does not start where it cannot log.
        self._env = {
            "ROS_LOG_DIR": str(self.log_dir),
            **(os.environ if env is None else env),
            "PYTHONUNBUFFERED": "1",
            "RCUTILS_COLORIZED_OUTPUT": "0",
        }
        self._quiet = quiet
        self._nodes: list[NodeProcess] = []
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._echo: OutputEcho | None = None

    def start(self) -> None:
        """Start all nodes.

        Raises:
            NotReadyError: An executable is missing; nothing was started.
            StorageError: The logs cannot be written; nothing is left running.
        """
        if self._watchdog is not None:
            raise RuntimeError("the supervisor is running: stop it first")
        check_writable(self.log_dir, LOGS_ADVICE)
        for spec in self.specs:
            command_line(spec, self.log_dir, self._env)
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            env=self._env,
            start_new_session=True,
        )
        try:
            for spec in self.specs:
                node = self._start_node(spec)
                self._nodes.append(node)
                self._notify_watchdog(f"+{node.group}\n")
            if not self._quiet:
                self._echo = OutputEcho({node.spec.name: node.log for node in self._nodes})
        except BaseException:
            self.stop()
            raise

    def _start_node(self, spec: NodeSpec) -> NodeProcess:
        try:
            return NodeProcess(spec, self._env, self.log_dir)
        except OSError as error:
            if about_storage(error):
                raise storage_error(error.filename or self.log_dir, error, LOGS_ADVICE) from error
            raise

    def poll(self) -> list[DeadNode]:
        """Return the required nodes that have ended by themselves."""
        return [dead for node in self._nodes if node.spec.required and (dead := node.dead()) is not None]

    def wait(self, timeout_s: float | None = None, until: Callable[[], bool] = lambda: False) -> list[DeadNode]:
        """Wait until a required node ends.

        Args:
            timeout_s: Wait at most this long, [s]; without end if none.
            until: Polled; true ends the wait.

        Returns:
            The nodes that ended; empty on timeout or if ``until`` was true.
        """
        end = float("inf") if timeout_s is None else time.monotonic() + timeout_s
        while time.monotonic() < end and not until():
            dead = self.poll()
            if dead:
                return dead
            time.sleep(_POLL_S)
        return self.poll()

    def stop(self) -> None:
        """Stop all nodes, the last one first; may be called again. When interrupted, it kills the remaining nodes."""
        try:
            for node in reversed(self._nodes):
                node.stop()
        except BaseException:
            for node in reversed(self._nodes):
                node.kill()
            raise
        finally:
            for node in self._nodes:
                self._notify_watchdog(f"-{node.group}\n")
            self._nodes = []
            self._end_watchdog()
            if self._echo is not None:
                self._echo.close()
                self._echo = None

    def __enter__(self) -> Supervisor:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _notify_watchdog(self, line: str) -> None:
        if self._watchdog is not None and self._watchdog.stdin is not None:
            try:
                self._watchdog.stdin.write(line.encode())
                self._watchdog.stdin.flush()
            except BrokenPipeError:
                # It was killed; the supervisor stops the nodes itself.
                return

    def _end_watchdog(self) -> None:
        if self._watchdog is None:
            return
        if self._watchdog.stdin is not None:
            self._watchdog.stdin.close()
        self._watchdog.wait()
        self._watchdog = None
