"""Chooses initial states from a bundle: the best of the mixture, draws from it, or uniform draws (the control)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.initial_state import THETA_NAMES, Box
from refinery.mixture import Mixture
from refinery.rotations import Array
from refinery.success_model import SuccessModel, SuccessPrediction
from refinery_sampler_node.sampling.diversity import choose_diverse
from refinery_sampler_node.sampling.reachability import Reach

MODES = ("best", "sample", "uniform")
"""best: ranked draws from the mixture; sample: draws from the mixture; uniform: draws from the deployment box."""

PER_POSE = 64
MIN_CANDIDATES = 256
MAX_CANDIDATES = 4096
_ROUNDS = 20
_BLOCK = 64
_CHUNK = 512
"""Rows predicted at a time; the success model holds rows x bins x dimensions in memory."""


class UnreachableError(RefineryError):
    """The arm can reach too few initial states; the message counts the reasons."""


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Initial states that were chosen, best first, and the candidates they were chosen from.

    Arrays have one row for each chosen state: the requested count and, after these, the alternatives that were found.
    """

    theta: Array
    """Initial states, shape (rows, 9), order :data:`refinery.initial_state.THETA_NAMES`."""
    log_likelihood: Array
    """Log density of the mixture with respect to the unit box; 0 is the density of uniform draws."""
    success: SuccessPrediction
    """Predicted success with its 95 % interval."""
    reach: Reach | None
    """Tool poses and joints; None if reachability was not required."""
    candidates: int
    """Number of candidates."""
    rejected: Counter[str]
    """Number of rejected candidates, by reason."""
    seen: Array
    """The candidates, shape (candidates, 9), for display."""
    seen_success: Array
    """Their predicted success, shape (candidates,)."""
    seen_reasons: tuple[str, ...]
    """Why each candidate was rejected; an empty string for one that was not."""


class InitialStateChooser:
    """Chooses initial states for one task.

    Args:
        mixture: Distribution of the policy's successes.
        success_model: Predicts the probability of success.
        box: Deployment box; every returned state is inside.
        distance: Smallest distance of the best states from each other, in shares of the box's edges.
    """

    def __init__(self, mixture: Mixture, success_model: SuccessModel, box: Box, *, distance: float = 0.1) -> None:
        self._mixture = mixture
        self._model = success_model
        self._box = box
        self._distance = distance

    def choose(
        self,
        mode: str,
        count: int,
        seed: int,
        *,
        reachable: Callable[[Array], Reach] | None = None,
        alternatives: int = 0,
    ) -> Choice:
        """Choose initial states; the same arguments give the same states.

        Args:
            mode: One of :data:`MODES`.
            count: Number of states, at least 1.
            seed: Seed of the random draws, at least 0.
            reachable: Checks which initial states (B, 9) the arm can reach; None skips the check.
            alternatives: Number of further states, should the first ones fail; they do not change the first ``count``.

        Returns:
            ``count`` initial states with predictions, then up to ``alternatives`` more.

        Raises:
            UnreachableError: The arm can reach fewer than ``count``.
            ValueError: The mode is none of :data:`MODES` or the count is below 1.
        """
        if mode not in MODES or count < 1:
            raise ValueError(f"expected a mode of {', '.join(MODES)} and a count of at least 1, got {mode!r}, {count}")
        rng = np.random.default_rng(seed)
        if mode == "best":
            return self._best(count, alternatives, rng, reachable)
        return self._draw(mode, count, alternatives, rng, reachable)

    def predict(self, theta: Array) -> SuccessPrediction:
        """Predict the success of any number of initial states (B, 9) in bounded memory."""
        parts = [self._model.predict(theta[i : i + _CHUNK]) for i in range(0, len(theta), _CHUNK)]
        names = ("mean", "low", "high", "std")
        return SuccessPrediction(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})

    def _best(
        self, count: int, alternatives: int, rng: np.random.Generator, reachable: Callable[[Array], Reach] | None
    ) -> Choice:
        # The number of candidates must not depend on the alternatives, which would change the best one.
        total = max(count, min(max(PER_POSE * count, MIN_CANDIDATES), MAX_CANDIDATES))
        theta = self._mixture.sample(total, rng)
        success, likelihood = self.predict(theta), self._mixture.log_likelihood(theta)
        # Predictions saturate at 1, so ties are common: a narrow interval, then the likelihood, decides.
        ranks = np.lexsort((-likelihood, -success.low, -success.mean))
        unit, alive, reasons = self._box.to_unit(theta), np.ones(total, dtype=bool), np.full(total, "", dtype=object)
        # Reachability costs far more than a prediction, so at first only the states to be returned are checked; once
        # one is rejected, the next best are checked in blocks.
        block = 0
        while True:
            order = ranks[alive[ranks]]
            if len(order) < count:
                raise UnreachableError(_too_few(count, len(order), total, _counted(reasons)))
            picked = choose_diverse(unit, order, count + alternatives, self._distance)
            reach = reachable(theta[picked]) if reachable else None
            if reachable is None or reach is None or reach.ok.all():
                return Choice(
                    theta=theta[picked], log_likelihood=likelihood[picked], success=_rows(success, picked), reach=reach,
                    candidates=total, rejected=_counted(reasons), seen=theta, seen_success=success.mean,
                    seen_reasons=tuple(reasons),
                )  # fmt: skip
            block += _BLOCK
            suspects = np.union1d(picked, order[:block])
            checked = reachable(theta[suspects])
            reasons[suspects] = checked.reasons
            alive[suspects[~checked.ok]] = False

    def _draw(
        self,
        mode: str,
        count: int,
        alternatives: int,
        rng: np.random.Generator,
        reachable: Callable[[Array], Reach] | None,
    ) -> Choice:
        none = np.empty((0, len(THETA_NAMES)))
        kept, seen, reasons = none, none, list[str]()
        # First the requested states, then the alternatives, so that these do not change the draw of the former.
        for wanted in (count, count + alternatives):
            for _ in range(_ROUNDS):
                if len(kept) == wanted:
                    break
                theta = self._source(mode)(wanted - len(kept), rng)
                why = reachable(theta).reasons if reachable else ("",) * len(theta)
                seen, reasons = np.vstack([seen, theta]), [*reasons, *why]
                kept = np.vstack([kept, theta[[not reason for reason in why]]])
            if len(kept) < count:
                raise UnreachableError(_too_few(count, len(kept), len(seen), _counted(reasons)))
        return Choice(
            theta=kept, log_likelihood=self._mixture.log_likelihood(kept), success=self.predict(kept),
            reach=reachable(kept) if reachable else None, candidates=len(seen), rejected=_counted(reasons), seen=seen,
            seen_success=self.predict(seen).mean, seen_reasons=tuple(reasons),
        )  # fmt: skip

    def _source(self, mode: str) -> Callable[[int, np.random.Generator], Array]:
        return self._box.uniform if mode == "uniform" else self._mixture.sample


def _counted(reasons: Iterable[str]) -> Counter[str]:
    return Counter(reason for reason in reasons if reason)


def _rows(success: SuccessPrediction, index: NDArray[np.intp]) -> SuccessPrediction:
    return SuccessPrediction(
        mean=success.mean[index], low=success.low[index], high=success.high[index], std=success.std[index]
    )


def _too_few(count: int, found: int, candidates: int, rejected: Counter[str]) -> str:
    reasons = ", ".join(f"{number} x {reason}" for reason, number in rejected.most_common())
    return (
        f"expected {count} initial states that the arm can reach, found {found} among {candidates} candidates "
        f"({reasons}); "
        "move the socket nearer to the middle of the arm's reach, or ask for fewer"
    )
