"""Colours of the markers: predicted success, and one colour for each reason to reject an initial state."""

from __future__ import annotations

from collections.abc import Iterable

from std_msgs.msg import ColorRGBA

from refinery_sampler_node.sampling.reachability import NEAR_LIMIT, NO_SOLUTION, TOUCHES

CHOSEN = ColorRGBA(r=0.1, g=0.9, b=0.95, a=1.0)
"""The pose that the arm goes to, and the straight line down to it."""
MIXTURE = ColorRGBA(r=0.2, g=0.4, b=1.0, a=0.5)
"""The mixture; its ellipsoids are more transparent the less weight they have."""

_REASONS = {
    NO_SOLUTION: (0.25, 0.25, 0.25),
    NEAR_LIMIT: (0.55, 0.3, 0.1),
    TOUCHES: (0.9, 0.1, 0.6),
}
_MOVEIT = (0.5, 0.1, 0.9)


def success_color(success: float) -> ColorRGBA:
    """Return a colour from red for a predicted success of 0 through yellow to green for 1."""
    share = min(max(success, 0.0), 1.0)
    return ColorRGBA(r=min(1.0, 2 - 2 * share), g=min(1.0, 2 * share), b=0.1, a=0.9)


def reason_color(reason: str) -> ColorRGBA:
    """Return the colour of a rejection by the sampler's own checks; rejections by MoveIt are violet."""
    r, g, b = _REASONS.get(reason, _MOVEIT)
    return ColorRGBA(r=r, g=g, b=b, a=0.9)


def legend(reasons: Iterable[str]) -> list[tuple[str, ColorRGBA]]:
    """Return a line for each reason with how often it occurs, and its colour; the most frequent first."""
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return [(f"{count} rejected: {reason}", reason_color(reason)) for reason, count in ordered]
