"""Everything the node holds between configuration and clean-up: sequence, journal, and its connections to the cell."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from rclpy.node import Node

from refinery.bringup.ros_start import ros_log_dir
from refinery.bundle.part_file import load_bundled_part
from refinery.errors import ConfigError
from refinery.robot_profile import load_robot_profile
from refinery.sequence.bundles import bundled_tasks
from refinery.sequence.sequence import load_sequence
from refinery.sequence.step import FRAME
from refinery_assembly_node.journal import Journal
from refinery_assembly_node.parameters import AssemblyParameters
from refinery_assembly_node.ros_cell import RosCell
from refinery_assembly_node.seats import facing


class AssemblyResources:
    """Sequence, tasks, journal and cell of one configured node.

    Args:
        node: Gets all connections.
        parameters: Of the node.
        tick: Awaited while waiting.
        stopped: Says why a run is to end; None while it is not.

    Raises:
        RefineryError: Sequence, bundles, profile or journal are not usable; the message says why.
    """

    def __init__(
        self,
        node: Node,
        parameters: AssemblyParameters,
        *,
        tick: Callable[[], Awaitable[None]],
        stopped: Callable[[], str | None],
    ) -> None:
        for name in ("sequence", "bundles"):
            if not getattr(parameters, name):
                raise ConfigError("parameters", name, "a name or path", "", f"set it: -p {name}:=...")
        self.sequence = load_sequence(parameters.sequence)
        bundles = {
            task.name: (path, task) for path, task in bundled_tasks(self.sequence, Path(parameters.bundles)).items()
        }
        self.tasks = {name: task for name, (_, task) in bundles.items()}
        shapes = {step.part: load_bundled_part(*bundles[step.task]) for step in self.sequence.steps}
        profile = load_robot_profile(parameters.robot_profile)
        digest = self.sequence.hash()
        path = Path(parameters.journal or _default_journal(f"{self.sequence.name}-{digest[:12]}.sqlite3"))
        self.journal = Journal(path.expanduser(), self.sequence.name, digest)
        self.cell = RosCell(node, profile, self.tasks, shapes, parameters, tick=tick, stopped=stopped)
        self._aim_at_first()

    def destroy(self) -> None:
        """End all connections and close the journal."""
        self.cell.destroy()
        self.journal.close()

    def _aim_at_first(self) -> None:
        """Publish the first socket, without which the policy node waits to be activated."""
        step, base = self.sequence.steps[0], self.sequence.base.nominal_pose()
        in_base = step.socket.mode == FRAME
        seat = facing(base @ step.socket.pose() if in_base else step.socket.pose(), step)
        self.cell.aim(base.inverse() @ seat if in_base else seat, in_base=in_base)


def _default_journal(name: str) -> Path:
    """Return where a journal is if no place is named: beside the logs of ROS."""
    return ros_log_dir(os.environ).parent / "refinery" / name
