"""What a policy that was trained elsewhere says about itself: a checkpoint holds weights, not what they mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from refinery.action import ACTION_NAMES, SEMANTICS
from refinery.config import check
from refinery.observation import TERMS, Term
from refinery.task import ControlSpec, Task
from refinery.trained_with import TrainedWith

LIBRARIES = ("rsl_rl", "rl_games")
"""Libraries whose checkpoints can be read."""
ACTIVATIONS = ("elu", "relu", "tanh", "selu")
"""Activations of hidden layers that can be read."""
_NOTHING = Term(name="nothing", size=0, unit="-", frame="-")


@dataclass(frozen=True, kw_only=True)
class Contract:
    """Observation, action and control that a checkpoint was trained with, as its owner declares them."""

    library: str
    """Library that wrote it, one of :data:`LIBRARIES`."""
    trained_on: str
    """Name of the task, for people."""
    observation: tuple[Term, ...]
    """Terms of the observation in order, with their scales and frames."""
    action: tuple[str, ...]
    """Components of the action in order."""
    semantics: str
    """What an action does to the target of the impedance controller."""
    control: ControlSpec
    """Impedance, rates and scales of the action."""
    normaliser: bool
    """Whether the checkpoint normalises observations itself; one outside of it is not supported."""
    activation: str = "elu"
    """Activation of the hidden layers, one of :data:`ACTIVATIONS`."""

    def __post_init__(self) -> None:
        """Validate names."""
        check(self.library in LIBRARIES, "library", f"one of {', '.join(LIBRARIES)}", self.library)
        check(self.activation in ACTIVATIONS, "activation", f"one of {', '.join(ACTIVATIONS)}", self.activation)
        check(self.trained_on.isidentifier(), "trained_on", "letters, digits and underscores", self.trained_on)

    @classmethod
    def of(cls, task: Task, library: str) -> Contract:
        """Return the contract of a task of this version: what ``import_policy --template`` prints."""
        return cls(
            library=library,
            trained_on=task.name,
            observation=TERMS,
            action=ACTION_NAMES,
            semantics=SEMANTICS,
            control=task.control,
            normaliser=True,
        )

    @property
    def observation_size(self) -> int:
        """Width of the observation."""
        return sum(term.size for term in self.observation)

    def differences(self) -> tuple[str, ...]:
        """Say what no setting of a task can bridge: every way in which observation and action are not this version's.

        Returns:
            Phrases; nothing if a robot can run the policy.
        """
        return tuple(self._differences())

    def _differences(self) -> Iterator[str]:
        for index, (got, known) in enumerate(zip_longest(self.observation, TERMS, fillvalue=_NOTHING)):
            if got != known:
                yield f"observation[{index}] is {_said(got)}, here {_said(known)}"
        for index, (name, known_name) in enumerate(zip_longest(self.action, ACTION_NAMES, fillvalue="nothing")):
            if name != known_name:
                yield f"action[{index}] is {name}, here {known_name}"
        if self.semantics != SEMANTICS:
            yield f"an action is {self.semantics!r}, here {SEMANTICS!r}"

    def trained_with(self) -> TrainedWith:
        """Return the record that is stored beside weights; only without :meth:`differences`."""
        return TrainedWith(task=self.trained_on, control=self.control)


def _said(term: Term) -> str:
    return term.name if term is _NOTHING else f"{term.name} ({term.size} x {term.unit}, {term.frame})"
