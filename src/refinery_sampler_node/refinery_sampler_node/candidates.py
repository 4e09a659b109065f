"""Choosing initial states from a bundle: the best of the mixture, draws from it, or uniform draws (the control)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.initial_state import THETA_NAMES, Box
from refinery.mixture import Mixture
from refinery.success_model import SuccessModel, SuccessPrediction
from refinery_sampler_node.diversity import choose_diverse
from refinery_sampler_node.reachability import Reach

Array = NDArray[np.float64]

MODES = ("best", "sample", "uniform")
"""best: ranked draws from the mixture; sample: draws from the mixture; uniform: draws from the deployment box."""

PER_POSE = 64
MIN_CANDIDATES = 256
MAX_CANDIDATES = 4096
_ROUNDS = 20
_BLOCK = 64
_CHUNK = 512
"""Rows the success model predicts at a time (it holds rows x bins x dimensions in memory)."""


class UnreachableError(RefineryError):
    """Too few initial states can be taken by the arm; the message counts the reasons."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Initial states that were chosen, and what was looked at on the way; every array has the length ``count``."""

    theta: Array
    """Initial states, shape (count, 9), order :data:`refinery.initial_state.THETA_NAMES`."""
    log_likelihood: Array
    """Log density of the mixture with respect to the unit box (0 is as likely as under uniform draws)."""
    success: SuccessPrediction
    """Predicted success with its 95 % interval."""
    reach: Reach | None
    """Tool poses and joints, where reachability was asked for."""
    candidates: int
    """How many initial states were looked at."""
    rejected: Counter[str]
    """How many of them were turned down, by reason."""
    seen: Array
    """The initial states that were looked at, shape (candidates, 9), for display."""
    seen_success: Array
    """Their predicted success, shape (candidates,)."""


class InitialStateChooser:
    """Chooses initial states for one task.

    Args:
        mixture: Over the successes of the policy.
        success_model: Predicts the success.
        box: Deployment box; nothing outside is ever returned.
        distance: Least distance of the best states from each other, in shares of the box's edges.
    """

    def __init__(self, mixture: Mixture, success_model: SuccessModel, box: Box, *, distance: float = 0.1) -> None:
        self._mixture = mixture
        self._model = success_model
        self._box = box
        self._distance = distance

    def choose(self, mode: str, count: int, seed: int, *, reachable: Callable[[Array], Reach] | None = None) -> Choice:
        """Choose initial states; the same arguments give the same states.

        Args:
            mode: One of :data:`MODES`.
            count: How many, at least 1.
            seed: Of the random draws, at least 0.
            reachable: Says which initial states (B, 9) the arm can take; None asks nothing.

        Returns:
            Exactly ``count`` initial states with predictions.

        Raises:
            UnreachableError: Fewer than ``count`` can be taken.
            ValueError: The mode is none of :data:`MODES` or the count is below 1.
        """
        if mode not in MODES or count < 1:
            raise ValueError(f"expected a mode of {', '.join(MODES)} and a count of at least 1, got {mode!r}, {count}")
        rng = np.random.default_rng(seed)
        return self._best(count, rng, reachable) if mode == "best" else self._draw(mode, count, rng, reachable)

    def predict(self, theta: Array) -> SuccessPrediction:
        """Predict the success of any number of initial states (B, 9) in bounded memory."""
        parts = [self._model.predict(theta[i : i + _CHUNK]) for i in range(0, len(theta), _CHUNK)]
        names = ("mean", "low", "high", "std")
        return SuccessPrediction(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def _best(self, count: int, rng: np.random.Generator, reachable: Callable[[Array], Reach] | None) -> Choice:
        total = max(count, min(max(PER_POSE * count, MIN_CANDIDATES), MAX_CANDIDATES))
        theta = self._mixture.sample(total, rng)
        success, likelihood = self.predict(theta), self._mixture.log_likelihood(theta)
        # Predictions saturate at 1, so ties are common: a narrow interval, then the likelihood, decides.
        ranks = np.lexsort((-likelihood, -success.low, -success.mean))
        unit, alive, rejected = self._box.to_unit(theta), np.ones(total, dtype=bool), Counter[str]()
        # Reachability costs far more than a prediction, so at first only what would be returned is checked; once
        # something is turned down, the next best are checked in blocks.
        block = 0
        while True:
            order = ranks[alive[ranks]]
            if len(order) < count:
                raise UnreachableError(_too_few(count, len(order), total, rejected))
            picked = choose_diverse(unit, order, count, self._distance)
            reach = reachable(theta[picked]) if reachable else None
            if reachable is None or reach is None or reach.ok.all():
                return Choice(
                    theta=theta[picked], log_likelihood=likelihood[picked], success=_rows(success, picked), reach=reach,
                    candidates=total, rejected=rejected, seen=theta, seen_success=success.mean,
                )  # fmt: skip
            block += _BLOCK
            suspects = np.union1d(picked, order[:block])
            verdict = reachable(theta[suspects])
            rejected += verdict.rejected()
            alive[suspects[~verdict.ok]] = False

    def _draw(
        self, mode: str, count: int, rng: np.random.Generator, reachable: Callable[[Array], Reach] | None
    ) -> Choice:
        source = self._box.uniform if mode == "uniform" else self._mixture.sample
        none = np.empty((0, len(THETA_NAMES)))
        kept, seen, rejected = none, none, Counter[str]()
        for _ in range(_ROUNDS):
            theta = source(count - len(kept), rng)
            seen = np.vstack([seen, theta])
            if reachable:
                verdict = reachable(theta)
                rejected += verdict.rejected()
                theta = theta[verdict.ok]
            kept = np.vstack([kept, theta])
            if len(kept) == count:
                reach = reachable(kept) if reachable else None
                return Choice(
                    theta=kept, log_likelihood=self._mixture.log_likelihood(kept), success=self.predict(kept),
                    reach=reach, candidates=len(seen), rejected=rejected, seen=seen,
                    seen_success=self.predict(seen).mean,
                )  # fmt: skip
        raise UnreachableError(_too_few(count, len(kept), len(seen), rejected))


def _rows(success: SuccessPrediction, index: NDArray[np.intp]) -> SuccessPrediction:
    return SuccessPrediction(
        mean=success.mean[index], low=success.low[index], high=success.high[index], std=success.std[index]
    )


def _too_few(count: int, found: int, looked_at: int, rejected: Counter[str]) -> str:
    reasons = ", ".join(f"{number} x {reason}" for reason, number in rejected.most_common())
    return (
        f"expected {count} initial states that the arm can take, found {found} among {looked_at} candidates "
        f"({reasons}); "
        "move the socket nearer to the middle of the arm's reach, or ask for fewer"
    )
