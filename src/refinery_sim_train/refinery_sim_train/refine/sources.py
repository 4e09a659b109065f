"""Sources of the starts of fine-tuning: uniform, logged failures, or acquisition over a success model.

The guided source learns from the training's own episodes, so that guidance costs no rollouts of its own: theta is
known, the outcome is observed anyway, and a model conditional on theta does not mind that the starts were chosen.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from refinery.initial_state import Box
from refinery.rotations import Array
from refinery.statistics import Rate, rate_difference_interval
from refinery.success_model import SuccessModel
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.refine.acquire import Acquirer, AcquisitionSpec
from refinery_sim_train.refine.guidance import in_hard_region
from refinery_sim_train.refine.success_fit import SuccessFitSpec, fit_success_model

SOURCES = ("auto", "uniform", "resampled", "guided")
"""Names of the sources that a training can start its episodes from; ``auto`` guides where :mod:`.guidance` pays."""
TRIAL_EPISODES = 300
"""Episodes from the hard region after which guidance must have shown that something is learnt there."""


class UniformSource:
    """The control: uniform over a box.

    Args:
        box: Box to draw from.
    """

    def __init__(self, box: Box) -> None:
        self._box = box

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states."""
        return self._box.uniform(count, rng)

    def observe(self, theta: Array, success: NDArray[np.bool_]) -> None:
        """Ignore outcomes."""

    def refit(self, seed: int) -> None:
        """Nothing to fit."""

    def snapshot(self) -> Arrays:
        """No state."""
        return {}

    def restore(self, arrays: Arrays) -> None:
        """No state."""


class PickedSource(UniformSource):
    """Picked initial states and a uniform share; it learns nothing.

    Args:
        box: Deployment box.
        picked: Initial states to draw from, shape (k, 9).
        uniform_share: Share of uniform draws.
    """

    def __init__(self, box: Box, picked: Array, uniform_share: float) -> None:
        super().__init__(box)
        self._picked, self._share = picked, uniform_share

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states; uniform while nothing is picked."""
        theta = super().__call__(count, rng)
        if len(self._picked):
            chosen = rng.random(count) >= self._share
            theta[chosen] = self._picked[rng.integers(len(self._picked), size=int(chosen.sum()))]
        return theta


class _OutcomeWindow(UniformSource):
    """A uniform source that remembers the newest outcomes."""

    def __init__(self, box: Box, window: int) -> None:
        super().__init__(box)
        self._window = window
        self.theta = np.zeros((0, box.low.size))
        """Initial states of the remembered episodes, shape (n, 9), oldest first."""
        self.success = np.zeros(0, dtype=bool)
        """Their outcomes, shape (n,)."""

    def observe(self, theta: Array, success: NDArray[np.bool_]) -> None:
        """Remember outcomes (k,) of episodes from theta (k, 9)."""
        self.theta = np.vstack([self.theta, theta])[-self._window :]
        self.success = np.concatenate([self.success, success])[-self._window :]

    def snapshot(self) -> Arrays:
        """The memory."""
        return {"theta": self.theta, "success": self.success}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot; call :meth:`refit` with the seed of the last one after."""
        self.theta, self.success = arrays["theta"].copy(), arrays["success"].astype(bool)


class ResampledSource(_OutcomeWindow):
    """The control of the released code: restart from logged failures, with a uniform share.

    Args:
        box: Deployment box.
        window: Episodes remembered.
        uniform_share: Share of uniform draws.
    """

    def __init__(self, box: Box, window: int, uniform_share: float) -> None:
        super().__init__(box, window)
        self._share = uniform_share
        self._failures = PickedSource(box, np.zeros((0, box.low.size)), uniform_share)

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states."""
        return self._failures(count, rng)

    def refit(self, seed: int) -> None:
        """Take the failures remembered now."""
        self._failures = PickedSource(self._box, self.theta[~self.success], self._share)


class GuidedSource(_OutcomeWindow):
    """Acquisition over a success model that is refitted on the newest outcomes.

    Args:
        box: Deployment box.
        window: Episodes remembered.
        acquisition: Settings of the acquisition function.
        fit: Settings of the model's fit.
    """

    def __init__(self, box: Box, window: int, acquisition: AcquisitionSpec, fit: SuccessFitSpec) -> None:
        super().__init__(box, window)
        self._acquisition, self._fit = acquisition, fit
        self._acquirer: Acquirer | None = None
        self.model: SuccessModel | None = None
        """The model in use; None before the first fit."""

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states; uniform before the first fit."""
        return super().__call__(count, rng) if self._acquirer is None else self._acquirer(count, rng)

    def refit(self, seed: int) -> None:
        """Fit the model on what is remembered and draw new candidates, if there were both outcomes."""
        if self.success.all() or not self.success.any():
            return
        self.model = fit_success_model(self._box, self.theta, self.success, self._fit, seed)
        self._acquirer = Acquirer(self.model, self._box, self._acquisition, seed)


class RevocableSource(GuidedSource):
    """Guided to where the outcome is undecided, p(1-p), and uniform again if nothing is learnt in the hard region.

    Args:
        box: Deployment box.
        window: Episodes remembered.
        fit: Settings of the model's fit.
        before: Success model of the policy before training.
        theta: Initial states of its search episodes, shape (n, 9).
        success: Their outcomes, shape (n,).
    """

    def __init__(
        self,
        box: Box,
        window: int,
        fit: SuccessFitSpec,
        before: SuccessModel,
        theta: Array,
        success: NDArray[np.bool_],
    ) -> None:
        super().__init__(box, window, AcquisitionSpec(function="uncertainty"), fit)
        super().observe(theta, success)
        self._before, self._searched = before, success[in_hard_region(before, theta)]
        self._tried = np.zeros(0, dtype=bool)
        self.guiding = True
        """Whether starts are still guided."""

    def __call__(self, count: int, rng: np.random.Generator) -> Array:
        """Draw (count, 9) initial states."""
        return super().__call__(count, rng) if self.guiding else self._box.uniform(count, rng)

    def observe(self, theta: Array, success: NDArray[np.bool_]) -> None:
        """Remember outcomes (k,) of episodes from theta (k, 9), those in the hard region separately."""
        super().observe(theta, success)
        if len(theta):
            self._tried = np.concatenate([self._tried, success[in_hard_region(self._before, theta)]])

    def refit(self, seed: int) -> None:
        """Fit the model, unless the newest half of enough episodes in the hard region won no more than before."""
        if self.guiding and len(self._tried) >= TRIAL_EPISODES and len(self._searched):
            newest = Rate.of(self._tried[-TRIAL_EPISODES // 2 :])
            self.guiding = rate_difference_interval(Rate.of(self._searched), newest)[0] > 0
        if self.guiding:
            super().refit(seed)

    def snapshot(self) -> Arrays:
        """The memory and the decision."""
        return super().snapshot() | {"tried": self._tried, "guiding": np.array(self.guiding)}

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot; call :meth:`refit` with the seed of the last one after."""
        super().restore(arrays)
        self._tried, self.guiding = arrays["tried"].astype(bool), bool(arrays["guiding"])


def training_source(
    name: str, box: Box, window: int, acquisition: AcquisitionSpec, fit: SuccessFitSpec
) -> UniformSource:
    """Return a source of starts by its name.

    Args:
        name: One of :data:`SOURCES`, not ``auto``, which is one of the others.
        box: Deployment box.
        window: Episodes remembered.
        acquisition: Settings of the guided source; the resampled one uses its uniform share.
        fit: Settings of the guided source's model.
    """
    if name == "uniform":
        return UniformSource(box)
    if name == "resampled":
        return ResampledSource(box, window, acquisition.uniform_share)
    return GuidedSource(box, window, acquisition, fit)
