"""``refinery explain``: one recorded insertion on a page."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from refinery.errors import RefineryError
from refinery.storage import write_whole
from refinery_evaluation.explain.episode import load_episode
from refinery_evaluation.explain.page import page


@dataclass(frozen=True, kw_only=True)
class Args:
    """Say and draw what happened in one recorded insertion."""

    file: Annotated[Path, tyro.conf.Positional]
    """Recording of the policy node (`refinery up ... --set refinery_policy.record_dir=records` writes one each), or a
    bag of a trial, whose last insertion is explained."""
    bundle: Path | None = None
    """Bundle that ran; default: the one that the bag names, else one of the recorded task in runs/ or of the demo."""
    out: Path | None = None
    """Page to write; default beside the recording, .html."""


def main() -> None:
    """Entry point."""
    try:
        explain(tyro.cli(Args, prog="refinery explain"))
    except RefineryError as error:
        print(f"refinery explain: {error}", file=sys.stderr)
        sys.exit(2)


def explain(args: Args) -> Path:
    """Write the page and print the sentence; returns the page's path."""
    episode = load_episode(args.file, args.bundle)
    out = args.out or args.file.with_suffix(".html")
    write_whole(out, page(episode, args.file))
    print(f"{episode.diagnosis.message}\npage: {out}")
    return out
