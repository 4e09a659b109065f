"""Every import is declared in package.xml and pinned for pip, and nothing else is declared."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from layering.dependencies import (
    ISAACLAB,
    LIBRARIES,
    NOT_IMPORTED,
    WARP,
    declared,
    imported,
    imports_installed,
    imports_of_tests,
    key,
    library,
    unlike,
)
from layering.sources import PACKAGES, ROOT, imports, python_files

REQUIREMENTS = ROOT / "requirements"
IN_ROSDEP = {"python3-mujoco-pip", "python3-onnxruntime-pip", "python3-tensorboard-pip"}
"""Keys that say pip and that the public rosdep database has."""
PACKAGE_XML = """<package format="3"><name>some</name>
<exec_depend>rclpy</exec_depend><exec_depend>rclpy</exec_depend><depend>std_msgs</depend>
<test_depend>python3-pytest</test_depend><test_depend>python3-yaml</test_depend></package>"""


def folder_of(package: str) -> Path:
    return ROOT / "src" / package


def pinned() -> set[str]:
    """Names that the files of requirements/ pin for themselves; the lock has what those bring in, too."""
    lines = [
        line
        for name in ("build", "dev", "nodeps", "robot", "run", "train")
        for line in (REQUIREMENTS / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    ]
    return {line.split("==")[0].lower() for line in lines if "==" in line and not line.startswith("#")}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_declares_what_it_imports_and_nothing_else(package: str) -> None:
    assert imports_installed(folder_of(package)) and imports_of_tests(folder_of(package))
    assert unlike(folder_of(package)) == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_what_comes_from_pypi_is_pinned(package: str) -> None:
    found = map(library, imports_installed(folder_of(package)) + imports_of_tests(folder_of(package)))
    assert {item.pin.lower() for item in found if item} - pinned() == set()


def test_what_is_an_extra_is_pinned_by_itself_and_only_its_backend_imports_it() -> None:
    lines = (REQUIREMENTS / "warp.txt").read_text(encoding="utf-8").splitlines()
    assert {line.split("==")[0] for line in lines if "==" in line} == set(WARP.values())
    apart = "isaaclab.txt", "isaaclab_constraints.txt"
    lines = [line for name in apart for line in (REQUIREMENTS / name).read_text(encoding="utf-8").splitlines()]
    assert set(ISAACLAB.values()) <= {line.split("==")[0] for line in lines if "==" in line}
    files = [file for package in PACKAGES for file in python_files(folder_of(package) / package)]
    users = {file.stem for file in files for item in imports(file) if item.of(*WARP)}
    assert users == {"warp_physics", "warp_device", "impedance", "newton_cells"}
    inside = {file for file in files for item in imports(file) if item.of(*ISAACLAB)}
    assert {file.stem for file in inside if file.parent.name == "backends"} == {
        "isaaclab_cell",
        "isaaclab_physics",
        "newton_cells",
        "usd",
    }
    assert {file.parent.name for file in inside} == {"backends", "isaaclab_tasks", "isaaclab_upstream"}
    # The registry imports them when they are asked for, so that all else runs without.
    for name in ("warp_physics", "isaaclab_physics"):
        found = [item for file in files for item in imports(file) if item.of(f"refinery_sim_train.backends.{name}")]
        assert found and all(item.deferred for item in found)


@pytest.mark.parametrize(("package", "name"), NOT_IMPORTED)
def test_what_is_needed_without_an_import_is_declared_and_really_not_imported(package: str, name: str) -> None:
    run, test = declared(folder_of(package))
    where, found = (run, imports_installed) if name in run else (test, imports_of_tests)
    assert name in where
    assert name not in {key(item) for item in found(folder_of(package))}


def test_every_key_is_one_that_rosdep_knows_or_is_told_of() -> None:
    told = yaml.safe_load((REQUIREMENTS / "rosdep.yaml").read_text(encoding="utf-8"))
    keys = {name for package in PACKAGES for names in declared(folder_of(package)) for name in names}
    assert set(told) == {name for name in keys if name.endswith("-pip")} - IN_ROSDEP
    for name, rule in told.items():
        (pin,) = rule["ubuntu"]["pip"]["packages"]
        assert rule["debian"] == rule["ubuntu"] and pin in pinned()
        assert name == f"python3-{pin}-pip"


@pytest.mark.parametrize("package", PACKAGES)
def test_setup_declares_what_it_imports(package: str) -> None:
    file = folder_of(package) / "setup.py"
    given = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.keyword)]
    (required,) = [ast.literal_eval(node.value) for node in given if node.arg == "install_requires"]
    found = imported([file], [])
    assert set(required) == {item.name.split(".")[0] for item in found if not item.deferred}
    assert set(required) <= pinned()
    # What it can do without, it imports where it needs it.
    tags = ElementTree.parse(folder_of(package) / "package.xml").getroot().findall("build_depend")
    assert {tag.text for tag in tags} == {key(item) for item in found if item.deferred}
    assert {library(item).pin for item in found if item.deferred} <= pinned()


def test_the_messages_declare_the_messages_they_are_made_of() -> None:
    folder = folder_of("refinery_msgs")
    files = [file for kind in ("msg", "srv", "action") for file in folder.glob(f"{kind}/*.{kind}")]
    used = {name for file in files for name in re.findall(r"^(\w+)/\w+", file.read_text(encoding="utf-8"), re.M)}
    # What a generated action imports of its own accord.
    used |= {"action_msgs"} if any(file.suffix == ".action" for file in files) else set()
    assert sorted(used) == sorted(set(declared(folder).run) - {"rosidl_default_runtime"})


def test_a_missing_an_unused_and_a_repeated_declaration_are_found(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    for name in ("some", "test"):
        (folder / name).mkdir(parents=True)
    (folder / "package.xml").write_text(PACKAGE_XML)
    (folder / "some" / "module.py").write_text("import os\nimport rclpy.node\ndef f():\n    from PIL import Image\n")
    (folder / "test" / "test_module.py").write_text("import numpy, pytest, rclpy\nimport helper\nimport some.module\n")
    (folder / "test" / "helper.py").write_text("")
    assert unlike(folder) == {
        "missing": ["python3-pil"],
        "unused": ["std_msgs"],
        "test missing": ["python3-numpy"],
        "test unused": ["python3-yaml"],
        "twice": ["rclpy"],
    }


def test_the_longest_name_that_fits_counts(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("import torch.nn\nfrom torch.utils.tensorboard import SummaryWriter\nimport std_msgs.msg\n")
    assert [key(item) for item in imported([file], [])] == [
        LIBRARIES["torch"].key,
        LIBRARIES["torch.utils.tensorboard"].key,
        "std_msgs",
    ]
