"""``refinery evaluate plan``: trials needed to tell two success rates apart, and a blinded plan of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from refinery.bundled_task import check_same_task, load_bundled_task, named_task
from refinery.config import check
from refinery.errors import ConfigError
from refinery_evaluation.trials.design import Stopping, draw_design, named_conditions, save_design
from refinery_evaluation.trials.sample_size import SampleSizes


@dataclass(frozen=True, kw_only=True)
class Args:
    """Say how many trials a comparison needs and, with --out, draw a blinded plan of them."""

    conditions: str = "base,refined"
    """What to compare, separated by commas, the control first: a name of --bundles runs from uniform starts, with
    "+sampled" from those that the sampler chooses."""
    from_percent: Annotated[float, tyro.conf.arg(name="from")] = 90.0
    """Success rate that is expected of the control, (0, 100) [%]."""
    detect: float = 5.0
    """Difference to detect, not 0 [percentage points]."""
    bundles: tuple[str, ...] = ()
    """Bundle of each name, as base=PATH refined=PATH."""
    task: str = ""
    """Name in config/tasks or path, to be sure: it must be the bundles' task; empty: whatever that is."""
    blocks: int = 0
    """Blocks of one trial a condition; 0: as many as are needed if conditions fail independently."""
    stopping: Stopping = "anytime"
    """fixed: compare once, after all blocks; anytime: look and stop after any block, at the same error rate."""
    seed: int = 0
    """Of the order and of the cells, 0 to 9999."""
    out: Path | None = None
    """Folder for the plan, its key and all that comes of it; none: only say how many trials."""

    def __post_init__(self) -> None:
        """Validate what the plan itself does not."""
        check(0 < self.from_percent < 100, "from", "a rate between 0 and 100 %", self.from_percent)
        reached = self.from_percent + self.detect
        check(0 < reached < 100 and self.detect != 0, "detect", "a rate between 0 and 100 % to arrive at", self.detect)
        check(self.blocks >= 0, "blocks", ">= 0", self.blocks)


def main(argv: Sequence[str]) -> int:
    """Print the numbers of trials; write the plan if asked to.

    Args:
        argv: Words after ``refinery evaluate plan``.

    Raises:
        RefineryError: The plan cannot be made.
    """
    args = tyro.cli(Args, args=list(argv), prog="refinery evaluate plan")
    names = tuple(name.strip() for name in args.conditions.split(","))
    sizes = SampleSizes(
        first=args.from_percent / 100,
        second=(args.from_percent + args.detect) / 100,
        comparisons=max(1, len(names) - 1),
    )
    print(sizes)
    if args.out is None:
        return 0
    conditions = named_conditions(names, _paths(args.bundles))
    if args.task:
        own = load_bundled_task(Path(conditions[0].bundle))
        check_same_task(named_task(args.task), own, "plan", f"the bundle {conditions[0].bundle}")
    design, key = draw_design(
        conditions,
        blocks=args.blocks or sizes.pairs_at_most,
        seed=args.seed,
        stopping=args.stopping,
        from_percent=args.from_percent,
        detect_points=args.detect,
    )
    save_design(args.out, design, key)
    print(
        f"plan: {len(design.order)} blocks, {len(design.trials)} trials, conditions behind {', '.join(design.codes)} "
        f"in {args.out}\ndesign {design.hash()}\nkey.json says which code is which: keep it from whoever judges trials"
    )
    return 0


def _paths(bundles: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for item in bundles:
        name, sign, path = item.partition("=")
        if not (name and sign and path) or "+" in name or "," in name:
            raise ConfigError("plan", "bundles", "NAME=PATH, the name without + and comma", item, "")
        found[name] = Path(path)
    return found
