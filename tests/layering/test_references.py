"""What documents and docstrings refer to is there: dotted names in backticks, and links and paths in the documents."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from layering.sources import ROOT

FILES = subprocess.run(
    ["git", "ls-files", "*.py", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.split()
PAGES = [name for name in FILES if name.endswith(".md")]
_NAME = re.compile(r"`~?((?:refinery\w*|experiments)(?:\.\w+)+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
_PATH = re.compile(r"`((?:src|experiments|config|launch|tests|tools|docs|policies|results|interfaces)/[\w./-]+)`")


def modules() -> dict[str, Path]:
    """Dotted name and file of every module and package of the workspace."""
    found = {}
    for name in FILES:
        parts = Path(name).with_suffix("").parts
        if not name.endswith(".py") or (parts[0] == "src" and parts[1] != parts[2]):
            continue
        parts = parts[2:] if parts[0] == "src" else parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ROOT / name
    return found


MODULES = modules()


def is_there(name: str) -> bool:
    """Tell whether a dotted name is a module, a package, or a word in the longest module of its beginning."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        module = MODULES.get(".".join(parts[:count]))
        if module is not None:
            return count == len(parts) or bool(re.search(rf"\b{parts[count]}\b", module.read_text(encoding="utf-8")))
    return any(known.startswith(f"{name}.") for known in MODULES)


@pytest.mark.parametrize("name", FILES)
def test_names_in_backticks_exist(name: str) -> None:
    found = _NAME.findall((ROOT / name).read_text(encoding="utf-8"))
    assert [each for each in found if not is_there(each)] == []


@pytest.mark.parametrize("name", PAGES)
def test_links_and_paths_in_pages_exist(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if "://" not in link]
    assert [link for link in links if not ((ROOT / name).parent / link).exists()] == []
    assert [path for path in _PATH.findall(text) if not (ROOT / path.rstrip("/.")).exists()] == []


def test_a_name_that_is_nowhere_is_found() -> None:
    assert is_there("refinery.task.Task") and is_there("refinery.tick.guard")
    assert not is_there("refinery.task.Tsk") and not is_there("refinery.nowhere")
