"""A recorded insertion as its plug saw it: the way over the hole, and how it ended."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from refinery.bundle import Bundle, load_bundle
from refinery.bundled_task import MANIFEST, load_bundled_task
from refinery.errors import ConfigError, RefineryError
from refinery.paths import share_dir
from refinery.rotations import Array, Poses
from refinery.symmetry import nearest_equivalent, remaining_turn_rad
from refinery.tick.diagnosis import Diagnosis, diagnose
from refinery.tick.outcome import seated
from refinery.tick.recording import Recording

_BUNDLES = ("bundle", "run/bundle")


@dataclass(frozen=True, kw_only=True, eq=False)
class Episode:
    """A recording together with the bundle that ran."""

    recording: Recording
    """T ticks."""
    bundle: Bundle
    """Task and part."""

    def __post_init__(self) -> None:
        """Refuse the bundle of another task."""
        task = self.bundle.task
        if task.hash() != self.recording.task_hash:
            raise ConfigError(
                self.bundle.path,
                "task",
                f"the task that was recorded ({self.recording.task_hash[:12]})",
                task.hash()[:12],
            )

    @cached_property
    def time_s(self) -> Array:
        """Time since the first tick, shape (T,), [s]."""
        return self.recording.now_s - self.recording.now_s[0]

    @cached_property
    def plug(self) -> Poses:
        """Plug in the base frame, batch of T."""
        return self.recording.measured @ self.bundle.task.plug.tool_from_plug_at(self.recording.grasp[None])

    @cached_property
    def socket(self) -> Poses:
        """Mean of the socket estimates, the way round that faces the plug at the start, batch of one."""
        estimate = self.recording.estimate
        mean = Poses(
            pos_m=estimate.pos_m.mean(axis=0, keepdims=True),
            quat_xyzw=Rotation.from_quat(estimate.quat_xyzw).mean().as_quat()[None],
        )
        return nearest_equivalent(mean, self.plug[:1], self.bundle.part.symmetry)

    @cached_property
    def relative(self) -> Poses:
        """Plug in the socket's frame, batch of T."""
        return self.socket.inverse() @ self.plug

    @cached_property
    def tilt_rad(self) -> Array:
        """Angle between the axes of plug and socket, shape (T,), [rad]."""
        return np.arccos(np.clip(self.relative.rotation.as_matrix()[:, 2, 2], -1.0, 1.0))

    @cached_property
    def turn_rad(self) -> Array:
        """Turn of the plug about its axis from the nearest way round that fits, shape (T,), [rad]."""
        return remaining_turn_rad(self.relative.quat_xyzw, self.bundle.part.symmetry)

    @cached_property
    def seated(self) -> bool:
        """Whether the plug counts as seated at the last tick, as far as the estimate can tell."""
        task, symmetry = self.bundle.task, self.bundle.part.symmetry
        return seated(task, self.socket, self.plug[-1:], len(self.time_s), symmetry)[0]

    @cached_property
    def diagnosis(self) -> Diagnosis:
        """The end in words and numbers."""
        return diagnose(
            self.bundle.task,
            self.bundle.part,
            socket=self.socket,
            plug=self.plug[-1:],
            seated=self.seated,
            wrench=self.recording.wrench[-1],
            start=self.plug[:1],
            grasp=self.recording.grasp[None],
        )


def load_episode(file: Path, bundle: Path | None) -> Episode:
    """Read a recording and the bundle that ran.

    Args:
        file: Recording of the policy node (its parameter ``record_dir``), or a bag with its policy steps.
        bundle: The bundle; if None, the one that a bag names, and for a recording one of its task is looked for in
            ``runs/`` and where ``make demo`` writes.

    Raises:
        RefineryError: The file is no recording, or no bundle of its task is found.
    """
    if file.is_dir() or file.suffix == ".mcap":
        # Needs ROS, which recordings of the node do not.
        from refinery_evaluation.explain.bag import read_bag

        recording, bundle = read_bag(file, bundle)
    else:
        recording = Recording.load(file)
    return Episode(recording=recording, bundle=load_bundle(bundle or _bundle_of(recording.task_hash)))


def _bundle_of(task_hash: str) -> Path:
    """Find a bundle of a task."""
    roots = [*sorted(Path("runs").glob("*")), share_dir() / "demo"]
    for folder in (root / name for root in roots for name in _BUNDLES):
        if (folder / MANIFEST).is_file() and load_bundled_task(folder).hash() == task_hash:
            return folder
    raise RefineryError(
        f"expected a bundle of the recorded task ({task_hash[:12]}) in runs/ or {share_dir() / 'demo'}, got none; "
        "name it with --bundle"
    )
