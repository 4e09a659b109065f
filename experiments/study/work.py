"""Run one unit of the study: refine as the command does, retry from a second start, and write what came out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.study.plan import StudySpec, Unit, identity
from refinery.bundle import Bundle, load_bundle
from refinery.errors import DamagedFileError, RefineryError
from refinery.initial_state import GRASP_NAMES, THETA_NAMES
from refinery.storage import read_json, write_whole
from refinery_sim_train.console import console
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.refine.evaluate import evaluate
from refinery_sim_train.refine.loop import RefineResult
from refinery_sim_train.refine.prepare import prepare_refinement
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.settings import read_task
from refinery_sim_train.shipped_policy import ShippedPolicy
from refinery_sim_train.weights import WeightsArgs, shipped_base

PROVENANCE = ("git_revision", "dirty", "date", "machine", "seed", "env_steps")
"""Of a bundle's provenance, what a result repeats."""
GRASP = [THETA_NAMES.index(name) for name in GRASP_NAMES]


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a study's files are."""

    results: Path
    """Folder of the units' results."""
    scratch: Path
    """Folder of the run folders."""

    def result(self, unit: Unit) -> Path:
        """File of a unit's result."""
        return self.results / f"{unit.name}.json"


def pack_outcomes(success: NDArray[np.bool_]) -> dict[str, Any]:
    """Successes k of n with every single outcome as bits in hexadecimal."""
    return {"k": int(success.sum()), "n": int(success.size), "bits": np.packbits(success).tobytes().hex()}


def unpack_outcomes(record: dict[str, Any]) -> NDArray[np.bool_]:
    """Inverse of :func:`pack_outcomes`, shape (n,)."""
    raw = np.frombuffer(bytes.fromhex(record["bits"]), dtype=np.uint8)
    return np.unpackbits(raw, count=int(record["n"])).astype(bool)


def unit_identity(spec: StudySpec, unit: Unit) -> str:
    """Hash of what a unit's figures depend on."""
    task = read_task(unit.task)
    return identity(spec.settings(unit.arm), task, shipped_base(task))


def stored(spec: StudySpec, unit: Unit, places: Places) -> dict[str, Any] | None:
    """Return a unit's result; None if there is none of today's settings.

    Raises:
        RefineryError: The file is damaged.
    """
    file = places.result(unit)
    if not file.exists():
        return None
    try:
        found = read_json(file)
    except DamagedFileError as error:
        raise RefineryError(f"{error}; delete it and run the study again") from None
    return found if found.get("identity") == unit_identity(spec, unit) else None


def run_unit(spec: StudySpec, unit: Unit, places: Places, weights: WeightsArgs) -> dict[str, Any]:
    """Run a unit, or go on with it, write its result and return it.

    Args:
        spec: Settings of the study.
        unit: The unit.
        places: Folders.
        weights: Options on base policies trained with other control settings.
    """
    # One process a core: libraries that start threads of their own would only get in each other's way.
    torch.set_num_threads(1)
    threadpool_limits(1)
    task, settings = read_task(unit.task), spec.settings(unit.arm)
    folder = places.scratch / unit.name
    log: list[str] = []
    with console.capture():
        refinement = prepare_refinement(task, settings, weights, seed=unit.seed, out=folder, resume=True)
        result = refinement.run(folder / "bundle", log.append)
    bundle = load_bundle(result.bundle)
    record = {
        "task": task.name,
        "arm": unit.arm,
        "identity": unit_identity(spec, unit),
        # Of when the bundle was written: a finished run may be read later.
        **{key: bundle.manifest["provenance"][key] for key in PROVENANCE},
        "log": [line for line in log if not line.startswith("bundle:")],
        "curve": _curve(folder, settings.validate_every, refinement.steps_per_round),
        **{name: pack_outcomes(success) for name, success in conditions(result, bundle, unit.seed).items()},
    }
    write_whole(places.result(unit), json.dumps(record, indent=1) + "\n")
    return record


def conditions(result: RefineResult, bundle: Bundle, seed: int) -> dict[str, NDArray[np.bool_]]:
    """Strict success on the test seeds under every condition, each shape (n,).

    ``retried`` is ``started`` with a second attempt where the first failed: same part, grasp, socket, bias of the
    estimate and friction, another start by the bundle's rule.
    """
    clipped = result.base if result.clipped is None else result.clipped
    policy = ShippedPolicy(bundle.policy_path)
    rng = np.random.default_rng([stream_seed(result.task.name, "test", seed, 1), 2])
    theta = result.mixture.sample(len(result.started.theta), rng)
    theta[:, GRASP] = result.started.theta[:, GRASP]
    again = evaluate(make_env(result.task, 128), policy, theta, stream_seed(result.task.name, "test", seed, 0))
    return {
        "base": result.base.strict,
        "clipped": clipped.strict,
        "refined": result.refined.strict,
        "started": result.started.strict,
        "retried": result.started.strict | again.strict,
    }


def _curve(folder: Path, every: int, steps_per_round: int) -> list[dict[str, Any]]:
    """Validated success by environment steps of training, the policy before it first."""
    names = {0: "base_clipped" if (folder / "validation_base_clipped.npz").exists() else "base"}
    names |= {
        index: f"round_{index}"
        for index in range(every, 10_000, every)
        if (folder / f"validation_round_{index}.npz").exists()
    }
    points = []
    for index, name in names.items():
        strict = np.load(folder / f"validation_{name}.npz")["strict"]
        points.append({"env_steps": index * steps_per_round, "k": int(strict.sum()), "n": len(strict)})
    return points
