"""Moving a bundle's policy to a provider: only if it says there what it says on the processor."""

from __future__ import annotations

import dataclasses
import time

import numpy as np

from refinery.bundle.policy import OnnxPolicy
from refinery.bundle.provider import AUTO, CPU, check_provider, installed
from refinery.bundle.reader import Bundle
from refinery.errors import BundleError

PARITY = 1e-4
"""Largest accepted difference of an action (all are within 1) between a provider and the processor."""
_STEPS = 100
"""Observations in a row that are compared and timed; a recurrent state is carried through them."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ProviderChoice:
    """Where a bundle's policy will run."""

    bundle: Bundle
    """The bundle, whose policy opens there."""
    message: str
    """Which provider, and what was measured, in one sentence."""


def choose_provider(bundle: Bundle, name: str) -> ProviderChoice:
    """Have a bundle's policy run on a provider.

    Args:
        bundle: A checked bundle.
        name: A key of :data:`refinery.bundle.provider.PROVIDERS`, or ``auto`` for the fastest of the installed ones
            that agree with the processor.

    Raises:
        ConfigError: The provider is unknown or not installed.
        BundleError: It does not run the policy, or its actions differ from the processor's.
    """
    check_provider(name)
    names = installed() if name == AUTO else [name]
    if names == [CPU]:
        return ProviderChoice(bundle=bundle, message="provider cpu")
    reference, cpu_s = _actions(bundle.open_policy())
    seconds, told = {CPU: cpu_s}, [f"cpu {1e6 * cpu_s:.0f} us"]
    for other in names:
        if other == CPU:
            continue
        try:
            actions, seconds_there = _actions(dataclasses.replace(bundle, provider=other).open_policy())
            difference = check_parity(actions, reference, other)
        except BundleError as error:
            if name != AUTO:
                raise
            told.append(f"{other} not used: {error}")
            continue
        seconds[other] = seconds_there
        told.append(f"{other} {1e6 * seconds_there:.0f} us, actions within {difference:.1g} of the processor's")
    chosen = min(seconds, key=lambda provider: seconds[provider]) if name == AUTO else name
    return ProviderChoice(
        bundle=dataclasses.replace(bundle, provider=chosen),
        message=f"provider {chosen} (median inference: {'; '.join(told)})",
    )


def check_parity(actions: np.ndarray, reference: np.ndarray, provider: str) -> float:
    """Compare a provider's actions with the processor's, and return the largest difference.

    Args:
        actions: Shape (T, M).
        reference: The processor's, shape (T, M).
        provider: Name, for the error.

    Raises:
        BundleError: They differ by more than :data:`PARITY`.
    """
    difference = float(np.max(np.abs(actions - reference)))
    if not difference <= PARITY:
        raise BundleError(
            f"provider {provider}: expected actions within {PARITY:g} of the processor's, got a difference of "
            f"{difference:.3g}; run the policy with provider:=cpu"
        )
    return difference


def _actions(policy: OnnxPolicy) -> tuple[np.ndarray, float]:
    """Return the actions for a fixed sequence of observations, shape (T, M), and the median time of one, [s]."""
    observations = np.random.default_rng(0).normal(size=(_STEPS, 1, policy.observation_size)).astype(np.float32)
    actions, seconds = [], []
    for observation in observations:
        began = time.perf_counter()
        action = policy(observation)
        seconds.append(time.perf_counter() - began)
        actions.append(action[0])
    return np.array(actions), float(np.median(seconds))
