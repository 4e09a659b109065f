"""No folder of tests has the name of an output folder, which pytest and ruff leave out."""

from __future__ import annotations

import subprocess
from pathlib import Path

import tomllib

from layering.sources import ROOT

LEFT_OUT = {
    name
    for tool, key in ((("pytest", "ini_options"), "norecursedirs"), (("ruff",), "extend-exclude"))
    for config in [tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]]
    for name in (config[tool[0]][tool[1]] if len(tool) == 2 else config[tool[0]])[key]
}


def test_every_committed_python_file_is_looked_at() -> None:
    files = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {"demo", "build"} <= LEFT_OUT
    assert [name for name in files.splitlines() if LEFT_OUT & set(Path(name).parts[:-1])] == []
