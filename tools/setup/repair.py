"""Put the ROS wheels right: their CMake files name folders of the machine that built them, and CMake stops on those."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from console import SetupError

_ELSEWHERE = r"/opt/python/cp3\d+-cp3\d+"
_PYTHON_INCLUDE = re.compile(_ELSEWHERE + r"/include/python3\.\d+")
_NUMPY_INCLUDE = re.compile(_ELSEWHERE + r"/lib/python3\.\d+/site-packages/numpy/_core/include")
_ASK = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"


def include_folders(python: Path) -> tuple[str, str]:
    """Return the folders of Python's and NumPy's C headers for an interpreter."""
    answer = subprocess.run([str(python), "-c", _ASK], check=True, capture_output=True, text=True)
    include, numpy_include = answer.stdout.split("\n")[:2]
    return include, numpy_include


def repair_text(text: str, include: str, numpy_include: str) -> str:
    """Return a CMake file's text with the foreign folders replaced; a repaired file comes back unchanged."""
    return _PYTHON_INCLUDE.sub(lambda _: include, _NUMPY_INCLUDE.sub(lambda _: numpy_include, text))


def repair_cmake(share: Path, include: str, numpy_include: str) -> int:
    """Repair every CMake file below a folder.

    Args:
        share: ``<venv>/share``.
        include: Folder of ``Python.h``.
        numpy_include: Folder of NumPy's headers.

    Returns:
        How many files were changed.

    Raises:
        SetupError: A foreign folder of a kind not known here is left.
    """
    changed = 0
    for path in sorted(share.rglob("*.cmake")):
        before = path.read_text(encoding="utf-8")
        after = repair_text(before, include, numpy_include)
        left = re.search(_ELSEWHERE + r"[^;\"\s]*", after)
        if left:
            raise SetupError(
                f"{path} names {left.group()}, a folder of the machine that built the wheel, unknown to the repair",
                "pin the versions of requirements/ros.txt again, or add the folder to tools/setup/repair.py",
            )
        if after != before:
            # Written beside and moved: an interruption leaves the old file or the new one, never half of one.
            new = path.with_suffix(".cmake.new")
            new.write_text(after, encoding="utf-8")
            new.replace(path)
            changed += 1
    return changed
