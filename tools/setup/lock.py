#!/usr/bin/env python3
"""Write requirements/constraints.txt: the exact version of every package that the requirement files bring in.

Usage: ``tools/setup/lock.py python3.11 python3.12`` with the interpreters to support. Run it by hand after editing a
requirement file.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
FILES = ("ros", "build", "robot", "run", "train", "dev")
HEADER = """\
# Exact versions of everything that the other files here bring in, for `pip install -c`. Made by tools/setup/lock.py,
# which has pip resolve the files for each supported Python ({versions}); what only one of them uses carries a marker.
# torch is pinned without its build (+cpu, +cu130, ...), and the CUDA libraries that some builds ask for are left to it.
"""
UNPINNED = re.compile(r"^(nvidia-|cuda-|triton$)")


def resolve(python: str) -> tuple[str, dict[str, str]]:
    """Return the interpreter's version as ``3.11`` and the versions pip chooses for it, by package name."""
    version = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], check=True, capture_output=True, text=True
    ).stdout.strip()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.json"
        command = [python, "-m", "pip", "install", "--dry-run", "--quiet", "--ignore-installed"]
        command += ["--report", str(report)]
        for name in FILES:
            command += ["-r", str(REQUIREMENTS / f"{name}.txt")]
        subprocess.run(command, check=True)
        return version, versions_of(json.loads(report.read_text(encoding="utf-8")))


def versions_of(report: dict[str, list[dict[str, dict[str, str]]]]) -> dict[str, str]:
    """Return name to version from pip's report, without build tags and without what stays unpinned."""
    found = {}
    for item in report["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        if not UNPINNED.match(name):
            found[name] = item["metadata"]["version"].split("+")[0]
    return found


def merge(resolved: dict[str, dict[str, str]]) -> str:
    """Return the file's text for versions by Python version and package."""
    lines = []
    for name in sorted(set().union(*resolved.values())):
        for version in sorted({found[name] for found in resolved.values() if name in found}):
            pythons = [python for python, found in resolved.items() if found.get(name) == version]
            marker = "" if len(pythons) == len(resolved) else " or ".join(f'python_version == "{p}"' for p in pythons)
            lines.append(f"{name}=={version}" + (f"; {marker}" if marker else ""))
    return HEADER.format(versions=", ".join(resolved)) + "\n".join(lines) + "\n"


def main() -> None:
    """Resolve for every interpreter named on the command line and write the file."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    resolved = dict(resolve(python) for python in sys.argv[1:])
    (REQUIREMENTS / "constraints.txt").write_text(merge(resolved), encoding="utf-8")


if __name__ == "__main__":
    main()
