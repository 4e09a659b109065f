"""Who may import whom: libraries no command-line code, and nobody in a circle."""

from __future__ import annotations

from pathlib import Path

import pytest

from layering.sources import PACKAGES, ROOT, circle, imports, python_files

MAY_IMPORT = {
    "refinery": {"refinery_msgs"},
    "refinery_ros": {"refinery"},
    "refinery_assembly_node": {"refinery", "refinery_msgs", "refinery_ros"},
    "refinery_policy_node": {"refinery", "refinery_msgs", "refinery_ros"},
    "refinery_sampler_node": {"refinery", "refinery_msgs", "refinery_ros"},
    "refinery_sim": {"refinery"},
    "refinery_sim_train": {"refinery", "refinery_sim"},
    "refinery_twin": {"refinery", "refinery_msgs", "refinery_ros", "refinery_sim"},
    "refinery_evaluation": {"refinery", "refinery_msgs", "refinery_ros", "refinery_sim_train", "refinery_twin"},
}
"""The arrows of docs/architecture.md."""


def commands_imported(files: list[Path]) -> list[str]:
    """Imports of a ``cli`` module of the workspace by a module that is no command itself."""
    return [
        str(item)
        for file in files
        if "cli" not in file.relative_to(ROOT).parts and file.name != "__main__.py"
        for item in imports(file)
        if item.of(*PACKAGES) and "cli" in item.name.split(".")
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_only_commands_import_commands(package: str) -> None:
    assert not commands_imported(python_files(ROOT / "src" / package / package))


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_only_those_below_it(package: str) -> None:
    own = {*PACKAGES, "refinery_msgs", "experiments"} - {package}
    found = [item for file in python_files(ROOT / "src" / package / package) for item in imports(file)]
    assert found
    assert [str(item) for item in found if item.of(*(own - MAY_IMPORT[package]))] == []


def test_experiments_import_no_commands() -> None:
    files = [file for file in python_files(ROOT / "experiments") if "test" not in file.relative_to(ROOT).parts]
    assert files and not commands_imported(files)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other_in_a_circle(package: str) -> None:
    assert not circle(ROOT / "src" / package, package)


def test_a_circle_is_found_under_type_checking_but_not_in_a_function(tmp_path: Path) -> None:
    package = tmp_path / "some"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "one.py").write_text("from some.two import Thing\n")
    (package / "two.py").write_text("def late():\n    import some.one\n")
    assert circle(tmp_path, "some") == []
    (package / "two.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from some import one\nclass Thing: ...\n"
    )
    assert set(circle(tmp_path, "some")) == {"some.one", "some.two"}


def test_imports_are_found_wherever_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import a.b\n"
        "try:\n    from c import d as e\nexcept ImportError:\n    pass\n"
        "class K:\n    def f(self):\n        import g.h\n        import_module('i.j')\n"
        "x = lambda: find_spec('k')\n"
    )
    found = [(item.line, item.name, item.deferred) for item in imports(file)]
    assert found == [(1, "a.b", False), (3, "c.d", False), (8, "g.h", True), (9, "i.j", True), (10, "k", True)]
