"""One running node: a process group of its own, its output in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from refinery.bringup.executables import find_executable
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.watchdog import STEPS, alive


@dataclass(frozen=True, kw_only=True)
class DeadNode:
    """A node that ended by itself."""

    name: str
    """Node name."""
    code: int
    """Exit code; negative: the signal that ended it."""
    last_line: str
    """Last line of its output."""
    log: Path
    """File with its whole output."""

    def __str__(self) -> str:
        """Return one sentence."""
        by_signal = self.code < 0
        how = f"was ended by {signal.Signals(-self.code).name}" if by_signal else f"ended with exit code {self.code}"
        said = f", saying: {self.last_line}" if self.last_line else ""
        return f"{self.name} {how}{said} (log: {self.log})"


def command_line(spec: NodeSpec, parameter_file: Path, env: Mapping[str, str]) -> list[str]:
    """Return the command that starts a node.

    Raises:
        NotReadyError: Its executable is not there.
    """
    remappings = [("__node", spec.name), *spec.remappings]
    if spec.namespace:
        remappings.insert(1, ("__ns", spec.namespace))
    command = [str(find_executable(spec.package, spec.executable, env)), *spec.arguments, "--ros-args"]
    for old, new in remappings:
        command += ["-r", f"{old}:={new}"]
    return [*command, "--params-file", str(parameter_file)]


def parameter_text(parameters: Mapping[str, Any]) -> str:
    """Return a ROS parameter file for one node."""
    values = {name: str(value) if isinstance(value, Path) else value for name, value in parameters.items()}
    return yaml.safe_dump({"/**": {"ros__parameters": values}})


class NodeProcess:
    """A started node.

    Args:
        spec: The node.
        env: Its environment.
        log_dir: Gets its output and its parameter file.
    """

    def __init__(self, spec: NodeSpec, env: Mapping[str, str], log_dir: Path) -> None:
        self.spec = spec
        self.log = log_dir / f"{spec.name}.log"
        parameter_file = log_dir / f"{spec.name}.yaml"
        parameter_file.write_text(parameter_text(spec.parameters), encoding="utf-8")
        # To a file, not through a pipe: a slow terminal never blocks a node, and a node never dies of a broken pipe
        # while it brings the arm to a safe state. In a session of its own: Ctrl-C reaches the supervisor only, which
        # ends the nodes in order.
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                command_line(spec, parameter_file, env),
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.group = self._process.pid
        """Process id, and id of the process group."""

    def dead(self) -> DeadNode | None:
        """Return how the node ended, or None while it runs."""
        code = self._process.poll()
        if code is None:
            return None
        return DeadNode(name=self.spec.name, code=code, last_line=self._last_line(), log=self.log)

    def stop(self) -> None:
        """End the node and its children: SIGINT, then SIGTERM, then SIGKILL; nothing happens if none is left."""
        for number, patience_s in STEPS:
            if not self._signal(number):
                return
            end = time.monotonic() + patience_s
            while time.monotonic() < end:
                self._process.poll()
                if not alive(self.group):
                    return
                time.sleep(0.02)
        self._process.wait()

    def kill(self) -> None:
        """Kill the node and its children at once."""
        if self._signal(signal.SIGKILL):
            self._process.wait()

    def _signal(self, number: int) -> bool:
        """Signal the process group; returns whether any of it was left."""
        self._process.poll()
        if not alive(self.group):
            return False
        try:
            os.killpg(self.group, number)
        except ProcessLookupError:
            return False
        return True

    def _last_line(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - 4096))
                lines = log.read().decode(errors="replace").split("\n")
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
