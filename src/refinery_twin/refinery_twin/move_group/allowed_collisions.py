"""The allowed collision matrix of a client: which links and objects may touch, by pair and by default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import combinations

from moveit_msgs.msg import AllowedCollisionEntry, AllowedCollisionMatrix

from refinery_twin.planning import MoveItErrorCode, PlanningError

Pair = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class AllowedCollisions:
    """Collisions that clients allow, in addition to those of the robot's own neighbouring links."""

    entries: dict[Pair, bool] = field(default_factory=dict)
    """Whether two may touch, by the sorted pair of their names."""
    defaults: dict[str, bool] = field(default_factory=dict)
    """Whether one may touch whatever no entry pairs it with."""

    @classmethod
    def read(cls, message: AllowedCollisionMatrix) -> AllowedCollisions:
        """Read a matrix, which takes the place of the one before, as in MoveIt.

        Raises:
            PlanningError: FAILURE: it is not square, or names and values of the defaults differ in number.
        """
        names, rows = message.entry_names, [list(row.enabled) for row in message.entry_values]
        if len(rows) != len(names) or any(len(row) != len(names) for row in rows):
            raise PlanningError(
                MoveItErrorCode.FAILURE,
                f"allowed_collision_matrix: expected {len(names)} rows of {len(names)} values for {len(names)} names, "
                f"got rows of {[len(row) for row in rows]}",
            )
        if len(message.default_entry_names) != len(message.default_entry_values):
            raise PlanningError(
                MoveItErrorCode.FAILURE,
                "allowed_collision_matrix: expected as many default_entry_values as default_entry_names, got "
                f"{len(message.default_entry_values)} and {len(message.default_entry_names)}",
            )
        entries = {
            _pair(names[i], names[j]): bool(rows[i][j] or rows[j][i]) for i, j in combinations(range(len(names)), 2)
        }
        defaults = dict(zip(message.default_entry_names, map(bool, message.default_entry_values), strict=True))
        return cls(entries=entries, defaults=defaults)

    def message(self) -> AllowedCollisionMatrix:
        """Write the matrix."""
        names = sorted({name for pair in self.entries for name in pair})
        rows = [[self.entries.get(_pair(a, b), False) for b in names] for a in names]
        return AllowedCollisionMatrix(
            entry_names=names,
            entry_values=[AllowedCollisionEntry(enabled=row) for row in rows],
            default_entry_names=list(self.defaults),
            default_entry_values=list(self.defaults.values()),
        )

    def pairs(self, names: Iterable[str]) -> set[Pair]:
        """Return the pairs that may touch, of these names and of those with entries."""
        allowed = {pair for pair, may in self.entries.items() if may}
        for pair in combinations(sorted(set(names)), 2):
            defaults = [self.defaults[name] for name in pair if name in self.defaults]
            if pair not in self.entries and defaults and all(defaults):
                allowed.add(pair)
        return allowed


def _pair(first: str, second: str) -> Pair:
    return (min(first, second), max(first, second))
