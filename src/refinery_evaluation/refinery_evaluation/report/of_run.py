"""The page's data from the folder of a finished run, without running any episode of it again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from refinery.bundle import Bundle, load_bundle
from refinery.config import from_mapping
from refinery.errors import DamagedFileError, RefineryError
from refinery.npz import load_arrays
from refinery.statistics import paired_p_value
from refinery.storage import read_json, read_lines
from refinery.success_model import SuccessModel
from refinery_evaluation.report.data import DemoData
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.refine.evaluate import Outcomes
from refinery_sim_train.refine.fine_tune import LEARNING
from refinery_sim_train.refine.seeding import stream_seed
from refinery_sim_train.refine.start_policy import clip_pays
from refinery_sim_train.refine.success_fit import fit_success_model

BUNDLE = "bundle"
"""Folder of a run's bundle."""


def data_of_run(run: Path) -> DemoData:
    """Collect what a run of ``refine`` (or ``export``) left; without trials, picture and times.

    The success model of the base is fitted again on the stored search episodes, with its seed: to the same model.

    Args:
        run: Folder of the run, with its bundle.

    Raises:
        RefineryError: The run is not finished, or a file of it is damaged; the message names it.
    """
    config = run / "config.json"
    if not config.exists():
        raise RefineryError(f"{run}: expected the folder of a run, got no {config.name}; name it with --run")
    if not (run / BUNDLE).is_dir():
        raise RefineryError(f"{run}: the run has no {BUNDLE} yet; finish it with refine --resume --out {run}")
    identity, bundle = read_json(config), load_bundle(run / BUNDLE)
    base, refined = _outcomes(run / "test_base.npz"), _outcomes(run / "test_refined.npz")
    clipped = _outcomes(run / "test_clipped.npz") if (run / "test_clipped.npz").exists() else None
    provenance: dict[str, Any] = bundle.manifest["provenance"]
    chosen = _was_clipped(run, clipped)
    before = clipped if chosen and clipped is not None else base
    settings = from_mapping(identity["settings"], RefineSpec, source=config)
    rows = read_lines(run / "fine_tuning" / LEARNING)[0] if (run / "fine_tuning" / LEARNING).exists() else []
    return DemoData(
        task=bundle.task,
        base_theta=base.theta,
        base_strict=base.strict,
        refined_theta=refined.theta,
        refined_strict=refined.strict,
        base_model=_base_model(run, bundle, settings, chosen),
        final_model=bundle.initial_states.success_model,
        mixture=bundle.initial_states.mixture,
        structure_bits=float(provenance.get("guidance", {}).get("bits", math.nan)),
        env_steps=int(provenance.get("env_steps", 0)),
        p_value=paired_p_value(base.strict, refined.strict),
        learning=rows,
        trials=(),
        cell_picture_png=None,
        cell_picture_note="",
        seconds={},
        provenance=provenance,
        seed=int(identity.get("seed", 0)),
        start_strict=None if before is base else before.strict,
        clipped=None if clipped is None else clipped.rate,
        started=_outcomes(run / "test_started.npz").rate,
    )


def _was_clipped(run: Path, clipped: Outcomes | None) -> bool:
    """Whether the base with clipped observations was refined: its search won more often, as the run decided."""
    search, other = run / "search.npz", run / "search_clipped.npz"
    if clipped is None or not (search.exists() and other.exists()):
        return False
    return clip_pays(_outcomes(search), _outcomes(other))[0]


def _base_model(run: Path, bundle: Bundle, spec: RefineSpec, clipped: bool) -> SuccessModel:
    """Fit the model of what was refined; a run that refined nothing has that of its policy."""
    file = run / ("search_clipped.npz" if clipped else "search.npz")
    if not file.exists():
        return bundle.initial_states.success_model
    task, found = bundle.task, _outcomes(file)
    seed = stream_seed(task.name, "fit", read_json(run / "config.json")["seed"], 1) % 2**31
    return fit_success_model(task.initial_state.deployed, found.theta, found.strict, spec.success_fit, seed)


def _outcomes(file: Path) -> Outcomes:
    try:
        return Outcomes(**load_arrays(file))
    except (OSError, TypeError) as error:
        raise DamagedFileError(f"{file}: expected the episodes of a finished run, got {error}") from None
