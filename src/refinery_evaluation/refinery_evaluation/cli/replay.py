"""``refinery replay <bag>``: compute a recorded insertion again, or with another policy, compare, and picture it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from refinery.bundle import load_bundle
from refinery.tick.pose import distance
from refinery.tick.tick_result import TickResult
from refinery_evaluation.recording.recovery import recover_all
from refinery_evaluation.replaying.episode import Episode, read_episodes
from refinery_evaluation.replaying.replay import bundle_of, compute, replay
from refinery_evaluation.replaying.timeline import write_timeline


@dataclass(frozen=True, kw_only=True)
class Args:
    """Compute recorded insertions again from what went into each policy step, and compare."""

    bag: Annotated[Path, tyro.conf.Positional]
    """Folder of a bag, or its .mcap file."""
    bundle: Path | None = None
    """Where the bundle is that it ran; none: where it was."""
    policy: Path | None = None
    """Another bundle: say what its policy would have commanded on the same states."""
    timeline: Path | None = None
    """Write a page with pose, wrench, action and guard over time."""
    recover: bool = False
    """First make bags whole that a killed recorder left below this folder."""


def main(argv: Sequence[str]) -> int:
    """Replay every insertion of a bag.

    Args:
        argv: Words after ``refinery replay``.

    Returns:
        0 if all came out the same, 1 if one did not or is incomplete.

    Raises:
        RefineryError: The bag or a bundle cannot be used.
    """
    args = tyro.cli(Args, args=list(argv), prog="refinery replay")
    if args.recover:
        for bag, count in recover_all(args.bag):
            print(f"{bag}: recovered with {count} messages")
    same, pages = True, []
    for episode in read_episodes(args.bag):
        name = f"trial {episode.about.trial_id}, insertion {episode.about.episode}"
        others: list[TickResult] = []
        if args.policy is not None:
            others = compute(episode, load_bundle(args.policy))
            print(f"{name}: {_apart(episode, others)}")
        else:
            result = replay(episode, bundle_of(episode, args.bundle))
            print(f"{name}: {result}")
            same = same and result.difference is None and not result.missing
        pages.append((name, episode, others))
    if args.timeline is not None:
        write_timeline(args.timeline, str(args.bag), pages)
        print(f"timeline: {args.timeline}")
    return 0 if same else 1


def _apart(episode: Episode, others: list[TickResult]) -> str:
    ticks = episode.whole()
    apart = [distance(other.target.xyz_m, tuple(tick.target[:3])) for tick, other in zip(ticks, others, strict=True)]
    mean = math.sqrt(sum(value * value for value in apart) / len(apart))
    worst = max(range(len(apart)), key=apart.__getitem__)
    stops = next((other for other in others if other.decision.level > 0), None)
    guard = "" if stops is None else f"; its guard intervenes at step {stops.step}: {stops.decision.message}"
    return (
        f"the other policy's targets are {1e3 * mean:.2f} mm from those commanded (root mean square), "
        f"at most {1e3 * apart[worst]:.2f} mm at step {ticks[worst].step}{guard}"
    )
