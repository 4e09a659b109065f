"""No folder of tests has the name of an output folder, which pytest and ruff leave out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import tomllib

from layering.sources import ROOT

TOOL = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
LEFT_OUT = {*TOOL["pytest"]["ini_options"]["norecursedirs"], *TOOL["ruff"]["extend-exclude"]}


def test_every_committed_python_file_is_looked_at() -> None:
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "build"} <= LEFT_OUT
    assert [name for name in files.splitlines() if LEFT_OUT & set(Path(name).parts[:-1])] == []
