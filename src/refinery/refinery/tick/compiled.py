"""Whether the tick runs compiled or as Python, from the same source.

The build of the workspace compiles modules of :mod:`refinery.tick` with mypyc into a package of its own, with the
hashes of the sources that it read (``src/refinery/setup.py``). They are imported in place of the sources if these are
still what was compiled: what is compiled never hides an edit. ``REFINERY_PURE_PYTHON=1`` has Python run the sources.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import EXTENSION_SUFFIXES, ModuleSpec
from importlib.util import find_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

PURE = "REFINERY_PURE_PYTHON"
"""Environment variable: anything but nothing and ``0`` has Python run the sources."""
PACKAGE = "refinery_tick_compiled"
"""Folder on the path of Python with the compiled modules."""
_LIBRARY = "refinery_tick__mypyc"
"""The library with the code of all compiled modules; each of them imports it by this name."""
_SOURCES = Path(__file__).parent


class CompiledFinder(MetaPathFinder):
    """Finds the compiled modules.

    Args:
        files: Extensions by the name of their module.
    """

    def __init__(self, files: Mapping[str, Path]) -> None:
        self._files = files

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the extension of a module, if it has one."""
        file = self._files.get(fullname)
        return None if file is None else spec_from_file_location(fullname, file)


def _extensions() -> tuple[dict[str, Path], str]:
    """Return the extensions by module; none with the reason if the sources are to run."""
    if os.environ.get(PURE, "0") not in ("", "0"):
        return {}, f"{PURE} is set"
    spec = find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return {}, "it is not compiled; `make build` compiles it"
    folder, suffix = Path(next(iter(spec.submodule_search_locations))), EXTENSION_SUFFIXES[0]
    try:
        hashes: dict[str, str] = json.loads((folder / "sources.json").read_text(encoding="utf-8"))
        changed = [name for name, value in hashes.items() if _hash(_SOURCES / f"{name}.py") != value]
    except (OSError, ValueError) as error:
        return {}, f"it cannot be compared with what is compiled: {error}; `make build` compiles it again"
    if changed:
        return {}, f"{', '.join(changed)} changed since it was compiled; `make build` compiles it again"
    modules = [_LIBRARY, *(f"{__package__}.{name.replace('/', '.')}" for name in hashes)]
    files = {module: folder / f"{module}{suffix}" for module in modules}
    if not all(file.is_file() for file in files.values()):
        return {}, f"it is not compiled for this Python ({suffix}); `make build` compiles it again"
    return files, ""


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


_FILES, _WHY_NOT = _extensions()


def install() -> None:
    """Have the compiled modules imported from now on, where there are any to use."""
    if _FILES:
        sys.meta_path.insert(0, CompiledFinder(_FILES))


def description() -> str:
    """Say which runs: ``compiled``, or ``interpreted`` and why."""
    return "compiled" if _FILES else f"interpreted: {_WHY_NOT}"
