"""What the workspace's modules import, read from their source without running any of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = tuple(sorted(path.parent.name for path in ROOT.glob("src/*/setup.py")))
"""The Python packages of the workspace."""
_BY_NAME = ("__import__", "find_spec", "import_module", "importorskip")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, kw_only=True)
class Import:
    """One import of one module."""

    file: Path
    """Where it stands."""
    line: int
    """Line there."""
    name: str
    """Dotted name of what is imported: ``from a.b import c`` gives ``a.b.c``."""
    deferred: bool
    """Whether it stands in a function, so that importing the module does not run it."""

    def __str__(self) -> str:
        """File, line and name, for the message of a failed test."""
        return f"{self.file}:{self.line}: {self.name}"

    def of(self, *names: str) -> bool:
        """Whether it is of one of these modules or of anything in them."""
        return any(self.name == name or self.name.startswith(f"{name}.") for name in names)


def python_files(folder: Path) -> list[Path]:
    """All Python files below a folder."""
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imports(file: Path) -> list[Import]:
    """All imports of a file: at module level, under ``TYPE_CHECKING``, in functions, and by a literal name."""
    return list(_imports(file, file.read_text(encoding="utf-8")))


@cache
def _imports(file: Path, source: str) -> tuple[Import, ...]:
    return tuple(
        Import(file=file, line=node.lineno, name=name, deferred=deferred)
        for node, deferred in _walk(ast.parse(source), False)
        for name in _names(node, file)
    )


def _walk(node: ast.AST, deferred: bool) -> Iterator[tuple[ast.AST, bool]]:
    for child in ast.iter_child_nodes(node):
        yield child, deferred
        yield from _walk(child, deferred or isinstance(child, _FUNCTIONS))


def _names(node: ast.AST, file: Path) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0 and node.module, f"{file}:{node.lineno}: expected an absolute import"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        return [node.args[0].value] if called in _BY_NAME and isinstance(node.args[0].value, str) else []
    return []


def module_name(file: Path, root: Path) -> str:
    """Dotted name of a file, from the folder that is on the path."""
    return ".".join(file.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def circle(root: Path, package: str) -> list[str]:
    """Return modules of a package that import each other in a circle at module level; empty if none do.

    That a package's ``__init__`` runs before its modules counts for nothing here; naming it in an import does.

    Args:
        root: The folder that is on the path.
        package: Name of the package in it.
    """
    files = {module_name(file, root): file for file in python_files(root / package)}
    graph = {
        name: {_module(item.name, files) for item in imports(file) if item.of(package) and not item.deferred}
        for name, file in files.items()
    }
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def reached(modules: Iterable[str]) -> list[Import]:
    """Return all imports of some modules and of those in the workspace that they import, functions included.

    Importing a module runs the ``__init__`` of every package that it is in.

    Args:
        modules: Dotted names.
    """
    roots = [ROOT / "src" / package for package in PACKAGES]
    known = {module_name(file, root): file for root in roots for file in python_files(root / root.name)}
    pending, found = list(modules), {}
    while pending:
        parts = _module(pending.pop(), known).split(".")
        for name in (".".join(parts[:count]) for count in range(1, len(parts) + 1)):
            if name in known and name not in found:
                found[name] = imports(known[name])
                pending += [item.name for item in found[name]]
    return [item for items in found.values() for item in items]


def _module(name: str, known: dict[str, Path]) -> str:
    """The module that an import runs: the imported name itself, or the one that has it as an attribute."""
    return name if name in known else name.rpartition(".")[0]
