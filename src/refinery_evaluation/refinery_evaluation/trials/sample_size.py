"""How many trials tell two success rates apart: unpaired, and in pairs on common seeds."""

from __future__ import annotations

from dataclasses import dataclass

from refinery.config import check
from refinery.statistics import pairs_to_tell
from refinery_evaluation.report.power import LEVEL, POWER, trials_to_tell

_NOTHING = 1e-9


@dataclass(frozen=True, kw_only=True)
class SampleSizes:
    """Trials for a two-sided test at 5 % with 80 % power; with several comparisons each at 5 % over their number."""

    first: float
    """Success rate of the control, (0, 1)."""
    second: float
    """Success rate of the other, (0, 1), another one."""
    comparisons: int = 1
    """Conditions that are compared with the control, >= 1 (Bonferroni)."""

    def __post_init__(self) -> None:
        """Validate."""
        fits = 0 < self.first < 1 and 0 < self.second < 1 and self.first != self.second
        check(fits, "first, second", "different rates in (0, 1)", (self.first, self.second))
        check(self.comparisons >= 1, "comparisons", ">= 1", self.comparisons)

    @property
    def alpha(self) -> float:
        """Error rate of each comparison."""
        return LEVEL / self.comparisons

    @property
    def unpaired(self) -> int:
        """Trials of each condition if they do not share seeds."""
        return trials_to_tell(self.first, self.second, level=self.alpha)

    @property
    def pairs_at_most(self) -> int:
        """Blocks if whether one condition succeeds on a seed says nothing about the other."""
        lost, gained = self.first * (1 - self.second), (1 - self.first) * self.second
        return pairs_to_tell(lost, gained, alpha=self.alpha, power=POWER)

    @property
    def pairs_at_least(self) -> int:
        """Blocks if the better condition succeeds wherever the worse one does."""
        return pairs_to_tell(_NOTHING, abs(self.second - self.first), alpha=self.alpha, power=POWER)

    def __str__(self) -> str:
        shared = f", {self.comparisons} comparisons with the control" if self.comparisons > 1 else ""
        return (
            f"to tell {100 * self.first:g} % from {100 * self.second:g} % (two-sided 5 %, power 80 %{shared}):\n"
            f"  unpaired  {self.unpaired} trials of each condition\n"
            f"  paired    {self.pairs_at_least} to {self.pairs_at_most} blocks on common seeds: few if the better one "
            "loses nothing that the other wins, many if they fail independently"
        )
