"""Results of a run of the demo: the input of the page, the screen of text and the results file."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.initial_state import THETA_NAMES, Box
from refinery.mixture import Mixture
from refinery.rotations import Array
from refinery.statistics import Rate
from refinery.success_model import SuccessModel
from refinery.task import Task

Starts = Literal["uniform", "sampled"]
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """One trial through the nodes: placed, inserted, scored. A number that is not known is NaN."""

    index: int
    """Number of the trial in the order run."""
    starts: str
    """Source of the initial state: uniform over the deployment box, or sampled by /sample_init."""
    seed: int
    """Seed of the cell (socket pose, estimation error)."""
    theta: tuple[float, ...]
    """Initial state as in THETA_NAMES: pose of the plug in the estimated socket frame and grasp, [m] and [rad].

    Given empty (nothing was placed), all NaN."""
    predicted: float | None
    """Predicted success from there, [0, 1]; None if not requested."""
    placed: bool
    """The arm reached the start."""
    place_error_mm: float
    """Distance of the tool from the pose asked for, [mm]."""
    place_error_deg: float
    """Angle between the two, [deg]."""
    outcome: str
    """How the insert action ended (refinery_msgs/Outcome, by name)."""
    reason: str
    """The guard's reason or the action's message; empty if there is none."""
    strict: bool
    """Strict success at the end, from the physics."""
    engaged: bool
    """Loose success at any step, from the physics."""
    depth_mm: float
    """Final depth of the plug's tip below the rim, [mm], positive inwards, from the physics."""
    lateral_mm: float
    """Final distance of the tip from the socket's axis, [mm], from the physics."""
    angle_deg: float
    """Final angle between plug and socket, [deg], from the physics."""
    max_force_n: float
    """Largest contact force on the plug, [N]."""
    duration_s: float
    """From hand-over to the last policy step, [s]."""
    guard: str = "none"
    """Reason of the guard's stop (refinery_msgs/GuardReason, by name)."""

    def __post_init__(self) -> None:
        """Validate what the report relies on."""
        check(self.starts in ("uniform", "sampled"), "starts", "'uniform' or 'sampled'", self.starts)
        if len(self.theta) == 0:
            # A refused placement has no initial state: that is a failed trial, not a reason to lose the report.
            object.__setattr__(self, "theta", (math.nan,) * len(THETA_NAMES))
        check(len(self.theta) == len(THETA_NAMES), "theta", f"{len(THETA_NAMES)} numbers, or none", self.theta)


@dataclass(frozen=True, kw_only=True, eq=False)
class DemoData:
    """Everything about one run of the demo."""

    task: Task
    """What was inserted."""
    base_theta: Array
    """Initial states of the test episodes of the base policy in simulation, shape (n, 9), [m] and [rad]."""
    base_strict: NDArray[np.bool_]
    """Their strict success, shape (n,)."""
    refined_theta: Array
    """Initial states of the test episodes of the refined policy, shape (m, 9); the same as the base's if paired."""
    refined_strict: NDArray[np.bool_]
    """Their strict success, shape (m,)."""
    base_model: SuccessModel
    """Success model of the base policy (fitted on other episodes)."""
    final_model: SuccessModel
    """Success model of the refined policy (fitted on other episodes)."""
    mixture: Mixture
    """Mixture over the refined policy's successes."""
    structure_bits: float
    """Held-out bits per episode that the base's success model gains over a constant; NaN if not measured."""
    env_steps: int
    """Environment steps spent on refining, evaluation for the models included."""
    p_value: float
    """Exact McNemar test of refined against base on common seeds."""
    learning: list[dict[str, Any]]
    """Rows of the ppo_*.jsonl logs in order: at least env_steps and success (NaN while no episode has ended)."""
    trials: tuple[TrialRecord, ...]
    """Trials through the nodes."""
    cell_picture_png: bytes | None
    """Picture of the cell, rendered by MuJoCo; None if there is none."""
    cell_picture_note: str
    """Caption of the picture, or the sentence why there is none."""
    seconds: dict[str, float]
    """Wall time of each stage, in order, [s]."""
    provenance: dict[str, Any]
    """git_revision, dirty, command, date, machine, versions (refinery_sim_train.provenance)."""
    seed: int
    """Seed of the run."""
    start_strict: NDArray[np.bool_] | None = None
    """Strict success, from ``base_theta``, of the policy that ``base_model`` describes and that was refined, where that
    is not the base itself but the base with clipped observations, shape (n,)."""
    clipped: Rate | None = None
    """Strict success of the base policy with clipped observations, same episodes; None where that was not tried."""
    started: Rate | None = None
    """Strict success of the refined policy from the starts that the bundle ships, in simulation; None if not run."""

    def __post_init__(self) -> None:
        """Validate shapes."""
        for name in ("base", "refined"):
            theta, strict = getattr(self, f"{name}_theta"), getattr(self, f"{name}_strict")
            width = len(THETA_NAMES)
            check(theta.ndim == 2 and theta.shape[1] == width, f"{name}_theta", f"shape (n, {width})", theta.shape)
            check(strict.shape == (len(theta),) and len(theta) > 0, f"{name}_strict", f"({len(theta)},)", strict.shape)
        picture = self.cell_picture_png
        is_png = picture is None or picture.startswith(PNG_SIGNATURE)
        check(is_png, "cell_picture_png", "the bytes of a PNG file, or None", (picture or b"")[:8])

    @property
    def box(self) -> Box:
        """The deployment box."""
        return self.task.initial_state.deployed

    @property
    def before_strict(self) -> NDArray[np.bool_]:
        """Strict success of the policy that was refined, from ``base_theta``, shape (n,)."""
        return self.base_strict if self.start_strict is None else self.start_strict

    @property
    def before_name(self) -> str:
        """What the policy is called that was refined."""
        return "base policy" if self.start_strict is None else "clipped base"

    @property
    def base(self) -> Rate:
        """Strict success of the base policy in simulation."""
        return Rate.of(self.base_strict)

    @property
    def refined(self) -> Rate:
        """Strict success of the refined policy in simulation."""
        return Rate.of(self.refined_strict)

    @property
    def paired(self) -> bool:
        """Both policies were tested from the same initial states."""
        return np.array_equal(self.base_theta, self.refined_theta)

    def trials_from(self, starts: Starts) -> tuple[TrialRecord, ...]:
        """Return the trials of one kind of start."""
        return tuple(trial for trial in self.trials if trial.starts == starts)

    def rate_from(self, starts: Starts) -> Rate | None:
        """Return strict success of one kind of start, None without trials. A trial that was not placed is a failure."""
        trials = self.trials_from(starts)
        return Rate.of([trial.strict for trial in trials]) if trials else None

    @property
    def total_seconds(self) -> float:
        """Wall time of all stages, [s]."""
        return float(sum(self.seconds.values()))
