from __future__ import annotations

import re
from pathlib import Path

from lock import merge, versions_of

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements"
PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(\[[a-z]+\])?==(?P<version>[^;\s]+)(; python_version == \"3\.\d+\")?")


def pins(file: Path) -> dict[str, set[str]]:
    """Return the versions by normalised name; every line must be an exact pin."""
    found: dict[str, set[str]] = {}
    for line in file.read_text().splitlines():
        if line and not line.startswith("#"):
            match = PIN.fullmatch(line)
            assert match, f"{file.name}: expected name==version, got {line!r}"
            found.setdefault(re.sub(r"[-_.]+", "-", match["name"]).lower(), set()).add(match["version"])
    return found


def test_every_requirement_is_pinned_and_the_lock_agrees():
    locked = pins(REQUIREMENTS / "constraints.txt")
    for name in ("ros", "build", "robot", "run", "train", "dev"):
        for package, versions in pins(REQUIREMENTS / f"{name}.txt").items():
            assert locked[package] == versions, f"{name}.txt: {package}: run tools/setup/lock.py again"
    assert pins(REQUIREMENTS / "nodeps.txt")


def test_no_file_names_a_machine_or_a_registry():
    for file in REQUIREMENTS.iterdir():
        assert not re.search(r"://|--index|--find-links|@ ", file.read_text()), file.name


def test_versions_lose_build_tags_and_gpu_libraries():
    names = [("Torch", "2.13.0+cpu"), ("nvidia-cublas", "1"), ("typing_extensions", "4.1")]
    report = {"install": [{"metadata": {"name": name, "version": version}} for name, version in names]}
    assert versions_of(report) == {"torch": "2.13.0", "typing-extensions": "4.1"}


def test_what_differs_between_pythons_gets_a_marker():
    text = merge({"3.11": {"a": "1", "b": "1", "c": "1"}, "3.12": {"a": "1", "b": "2"}})
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        "a==1",
        'b==1; python_version == "3.11"',
        'b==2; python_version == "3.12"',
        'c==1; python_version == "3.11"',
    ]
