"""Writing a bundle: all or nothing, and only if it can be read back."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from refinery.bundle import strict_json
from refinery.bundle.files import ENVELOPE, INITIAL_STATES, MANIFEST, NAMES, OPTIONAL, PART, POLICY, sha256
from refinery.bundle.initial_states import RULES, InitialStates
from refinery.bundle.manifest import Manifest
from refinery.bundle.observation_statistics import ObservationStatistics
from refinery.bundle.part_file import part_to_json
from refinery.bundle.reader import load_bundle
from refinery.errors import BundleError
from refinery.mixture import Mixture
from refinery.part import PartGeometry
from refinery.success_model import SuccessModel
from refinery.task import Task


def write_bundle(
    path: Path | str,
    *,
    name: str,
    policy_onnx: bytes,
    task: Task,
    part: PartGeometry,
    mixture: Mixture,
    rule: str = RULES[0],
    success_model: SuccessModel,
    successes: tuple[int, int],
    selection: dict[str, Any],
    provenance: dict[str, Any],
    evaluation: dict[str, Any],
    envelope: ObservationStatistics | None = None,
) -> Path:
    """Write a bundle, or leave what was there before.

    Args:
        path: Directory to create; a bundle already there is replaced, anything else is left alone.
        name: Name of the bundle, for people.
        policy_onnx: The policy with its metadata (:func:`refinery.bundle.with_metadata`).
        task: The task it solves.
        part: The shape of its held part.
        mixture: Mixture to draw starts from.
        rule: How a start is chosen; one of :data:`refinery.bundle.initial_states.RULES`.
        success_model: Model of success over the deployment box.
        successes: Successes behind the fit, and the trials they came from.
        selection: How the mixture was selected.
        provenance: Git revision, seeds, steps, versions, command, date.
        evaluation: Success per condition as ``{"k", "n"}``.
        envelope: What the policy saw in its evaluation; without one, nodes cannot tell a strange observation.

    Returns:
        The path.

    Raises:
        BundleError: The parts do not make a loadable bundle, or the path cannot be written.
    """
    path = Path(path)
    states = InitialStates(
        mixture=mixture,
        rule=rule,
        success_model=success_model,
        successes_k=int(successes[0]),
        successes_n=int(successes[1]),
        selection=selection,
    )
    contents = {
        POLICY: policy_onnx,
        INITIAL_STATES: strict_json.dump(states.to_json(task), INITIAL_STATES),
        PART: strict_json.dump(part_to_json(part, task), PART),
    }
    if envelope is not None:
        contents[ENVELOPE] = strict_json.dump(envelope.to_json(task), ENVELOPE)
    manifest = Manifest(
        name=name,
        task=task,
        files={file: sha256(content) for file, content in contents.items()},
        provenance=provenance,
        evaluation=evaluation,
    )
    contents[MANIFEST] = manifest.to_bytes()
    _check_replaceable(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise BundleError(f"{path}: expected a place to write to, got {error}") from None
    try:
        new = staging / "new"
        new.mkdir()
        for file, content in contents.items():
            with (new / file).open("wb") as handle:
                handle.write(content)
                handle.flush()
                os.fsync(handle.fileno())
        load_bundle(new)
        _swap(new, path, staging / "old")
    except OSError as error:
        raise BundleError(f"{path}: expected to write the bundle, got {error}") from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return path


def _check_replaceable(path: Path) -> None:
    """Refuse to replace anything that is not a bundle: a mistyped path must not cost a directory."""
    if not path.exists():
        return
    known = (*NAMES, *OPTIONAL)
    strange = [item.name for item in path.iterdir() if item.name not in known] if path.is_dir() else [path.name]
    if strange:
        raise BundleError(f"{path}: expected a bundle or nothing there, got {strange[0]!r}; choose another path")


def _swap(new: Path, path: Path, old: Path) -> None:
    """Put ``new`` at ``path``; if that fails, what was there is put back."""
    if not path.exists():
        os.rename(new, path)
        return
    try:
        os.rename(path, old)
        os.rename(new, path)
    finally:
        # Also on Ctrl-C between the two renames: either the new bundle is there or the old one.
        if old.exists() and not path.exists():
            os.rename(old, path)
