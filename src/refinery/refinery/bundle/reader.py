"""Reading a bundle: nothing in it is used before all of it has been checked, and nothing is ever unpickled."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from refinery.action import ACTION_NAMES
from refinery.bundle import strict_json
from refinery.bundle.files import (
    ENVELOPE,
    HASHED,
    INITIAL_STATES,
    MANIFEST,
    MAX_BYTES,
    OPTIONAL,
    PART,
    POLICY,
    check_listing,
    read_file,
    sha256,
)
from refinery.bundle.initial_states import InitialStates
from refinery.bundle.manifest import Manifest
from refinery.bundle.metadata import ACCEPTED, check_metadata
from refinery.bundle.observation_statistics import ObservationStatistics
from refinery.bundle.part_file import part_from_json
from refinery.bundle.policy import OnnxPolicy
from refinery.bundle.provider import CPU
from refinery.errors import BundleError
from refinery.observation import OBSERVATION_SIZE
from refinery.part import PartGeometry
from refinery.task import Task
from refinery.trained_with import TrainedWith


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """A checked bundle."""

    path: Path
    """Its directory."""
    name: str
    """Its name, for people."""
    task: Task
    """The task it solves."""
    part: PartGeometry = field(repr=False)
    """The shape of the held part."""
    policy_path: Path
    """The policy file as it was checked; :attr:`policy_onnx` are the very bytes."""
    policy_onnx: bytes = field(repr=False)
    """Contents of the policy file, so that what runs is what was checked."""
    initial_states: InitialStates = field(repr=False)
    """Where insertions should start."""
    manifest: dict[str, Any] = field(repr=False)
    """Contents of ``manifest.json``."""
    metadata: dict[str, Any] = field(repr=False)
    """What the policy file says about itself (:mod:`refinery.bundle.metadata`)."""
    trained_with: TrainedWith = field(repr=False)
    """What the policy's weights were trained with."""
    envelope: ObservationStatistics | None = field(default=None, repr=False)
    """What the policy saw in its evaluation; None in a bundle that does not say."""
    provider: str = CPU
    """Where its policy runs (:mod:`refinery.bundle.provider`)."""

    @property
    def other_gains(self) -> tuple[str, ...]:
        """Control settings of the task that the weights were not trained with, a phrase each; mostly none."""
        return self.trained_with.differences(self.task.control)

    @property
    def other_gains_accepted(self) -> bool:
        """Whether somebody accepted :attr:`other_gains` when the bundle was written."""
        return self.metadata.get(ACCEPTED) is True

    def open_policy(self) -> OnnxPolicy:
        """Return a fresh, warmed-up policy with its own recurrent state."""
        return OnnxPolicy(self.policy_onnx, source=self.policy_path, provider=self.provider)


def load_bundle(path: Path | str) -> Bundle:
    """Read and check a bundle.

    Args:
        path: Directory of the bundle.

    Returns:
        The bundle; its policy has run once.

    Raises:
        BundleError: Naming the file, what was expected, what was found and what to do.
    """
    path = Path(path)
    optional = check_listing(path)
    contents = {name: read_file(path / name, MAX_BYTES[name]) for name in (*HASHED, *optional, MANIFEST)}
    manifest = Manifest.from_bytes(contents[MANIFEST], path / MANIFEST)
    for name in OPTIONAL:
        if (name in optional) != (name in manifest.files):
            expected, got = ("this file", "nothing there") if name in manifest.files else ("no such file", "one")
            raise BundleError(f"{path / name}: expected {expected} (from {MANIFEST}), got {got}; export again")
    for name in manifest.files:
        found = sha256(contents[name])
        if found != manifest.files[name]:
            raise BundleError(
                f"{path / name}: expected SHA-256 {manifest.files[name][:64]} (from {MANIFEST}), got {found}; "
                "the file was altered, export or copy the bundle again"
            )
    raw = strict_json.parse(contents[INITIAL_STATES], path / INITIAL_STATES)
    initial_states = InitialStates.from_json(raw, manifest.task, path / INITIAL_STATES)
    part = part_from_json(strict_json.parse(contents[PART], path / PART), manifest.task, path / PART)
    policy = OnnxPolicy(contents[POLICY], source=path / POLICY)
    trained_with = _check_policy(policy, manifest.task, path / POLICY)
    envelope = None
    if ENVELOPE in optional:
        raw = strict_json.parse(contents[ENVELOPE], path / ENVELOPE)
        envelope = ObservationStatistics.from_json(raw, manifest.task, path / ENVELOPE)
    return Bundle(
        path=path,
        name=manifest.name,
        task=manifest.task,
        part=part,
        policy_path=path / POLICY,
        policy_onnx=contents[POLICY],
        initial_states=initial_states,
        manifest=strict_json.parse(contents[MANIFEST], path / MANIFEST),
        metadata=policy.metadata,
        trained_with=trained_with,
        envelope=envelope,
    )


def _check_policy(policy: OnnxPolicy, task: Task, source: Path) -> TrainedWith:
    """Check that the policy reads this version's observation and is for this task; what it was trained with."""
    for what, got, expected in (
        ("obs", policy.observation_size, OBSERVATION_SIZE),
        ("action", policy.action_size, len(ACTION_NAMES)),
    ):
        if got != expected:
            raise BundleError(f"{source}: {what}: expected width {expected}, got {got}; export it again")
    return check_metadata(policy.metadata, task, source)
