"""How an import is declared: the rosdep key in package.xml, and the distribution on PyPI that requirements/ pins."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

from layering.sources import ROOT, Import, imports, python_files

_STANDARD = frozenset(sys.stdlib_module_names)


class Python(NamedTuple):
    """A Python library that is not a ROS package."""

    key: str
    """Rosdep key."""
    pin: str
    """Name on PyPI."""


LIBRARIES = {
    "PIL": Python("python3-pil", "pillow"),
    "fieldtrial": Python("python3-fieldtrial-pip", "fieldtrial"),
    "google.protobuf": Python("python3-protobuf", "protobuf"),
    "hypothesis": Python("python3-hypothesis", "hypothesis"),
    "jinja2": Python("python3-jinja2", "jinja2"),
    "manifold3d": Python("python3-manifold3d-pip", "manifold3d"),
    "matplotlib": Python("python3-matplotlib", "matplotlib"),
    "mcap": Python("python3-mcap-pip", "mcap"),
    "mujoco": Python("python3-mujoco-pip", "mujoco"),
    "mypyc": Python("python3-mypy", "mypy"),
    "numpy": Python("python3-numpy", "numpy"),
    "onnx": Python("python3-onnx-pip", "onnx"),
    "onnxruntime": Python("python3-onnxruntime-pip", "onnxruntime"),
    "pytest": Python("python3-pytest", "pytest"),
    "rich": Python("python3-rich", "rich"),
    "roboplan.core": Python("python3-roboplan-core-pip", "roboplan-core"),
    "roboplan.rrt": Python("python3-roboplan-rrt-pip", "roboplan-rrt"),
    "roboplan.simple_ik": Python("python3-roboplan-simple-ik-pip", "roboplan-simple-ik"),
    "roboplan.toppra": Python("python3-roboplan-toppra-pip", "roboplan-toppra"),
    "rosbags": Python("python3-rosbags-pip", "rosbags"),
    "rsl_rl": Python("python3-rsl-rl-lib-pip", "rsl-rl-lib"),
    "scipy": Python("python3-scipy", "scipy"),
    "shapely": Python("python3-shapely", "shapely"),
    "sklearn": Python("python3-sklearn", "scikit-learn"),
    "tensordict": Python("python3-tensordict-pip", "tensordict"),
    "threadpoolctl": Python("python3-threadpoolctl-pip", "threadpoolctl"),
    "torch": Python("python3-torch", "torch"),
    "torch.utils.tensorboard": Python("python3-tensorboard-pip", "tensorboard"),
    "trimesh": Python("python3-trimesh-pip", "trimesh"),
    "tyro": Python("python3-tyro-pip", "tyro"),
    "yaml": Python("python3-yaml", "PyYAML"),
}
"""By import name; the longest one that fits counts. Every other import is of the ROS package of its first name."""

NOT_IMPORTED = {
    ("refinery_policy_node", "franka_msgs"): "robot_state.py imports the message that the robot profile names",
    ("refinery_sim_train", "python3-onnxscript-pip"): "torch.onnx.export is written on it",
    ("refinery_sampler_node", "refinery_twin"): "test/real_cell.py starts its nodes",
}
"""What a package, or its tests, need without an import of theirs, and why."""

WARP = {"mujoco_warp": "mujoco-warp", "warp": "warp-lang"}
"""By import name, the distribution: of a backend that is an extra, so that no package declares it."""
ISAACLAB = dict.fromkeys(("isaaclab", "isaaclab_newton", "isaaclab_physx", "isaaclab_rl", "isaaclab_tasks"), "isaaclab")
"""Likewise, of a backend that runs in an environment of its own; and what Isaac Lab brings along."""
# Isaac Sim is only looked for, beside Isaac Lab.
ISAACLAB |= {"isaacsim": "isaaclab", "gymnasium": "gymnasium", "pxr": "usd-exchange"}
OPTIONAL = WARP | ISAACLAB


class Declared(NamedTuple):
    """Dependencies of a package.xml, in the order they stand there."""

    run: list[str]
    """Needed to run: ``depend`` and ``exec_depend``."""
    test: list[str]
    """Needed by tests: ``test_depend``."""


def declared(folder: Path) -> Declared:
    """Read the package.xml in a folder."""
    root = ElementTree.parse(folder / "package.xml").getroot()
    found = [(tag.tag, (tag.text or "").strip()) for tag in root]
    return Declared(
        [name for tag, name in found if tag in ("depend", "exec_depend")],
        [name for tag, name in found if tag == "test_depend"],
    )


def library(item: Import) -> Python | None:
    """The Python library that an import is of; None for a ROS package."""
    fitting = [name for name in LIBRARIES if item.of(name)]
    return LIBRARIES[max(fitting, key=len)] if fitting else None


def imported(files: Iterable[Path], own: Iterable[str]) -> list[Import]:
    """Imports of some files that are neither of the standard library nor of modules that are ``own``."""
    ours = _STANDARD.union(own, OPTIONAL)
    return [item for file in files for item in imports(file) if item.name.split(".")[0] not in ours]


def key(item: Import) -> str:
    """What an import is declared as."""
    known = library(item)
    return known.key if known else item.name.split(".")[0]


def imports_installed(folder: Path) -> list[Import]:
    """Imports of what a package installs; ``refinery`` installs the top-level launch files too."""
    files = python_files(folder / folder.name)
    if folder.name == "refinery":
        files += python_files(ROOT / "launch")
    return imported(files, [folder.name])


def imports_of_tests(folder: Path) -> list[Import]:
    """Imports of a package's tests."""
    here = folder / "test"
    return imported(python_files(here), [folder.name, *(path.stem for path in here.iterdir())])


def unlike(folder: Path) -> dict[str, list[str]]:
    """Compare what a package imports with what its package.xml declares.

    Returns:
        Names under ``missing``, ``unused``, ``test missing``, ``test unused`` and ``twice``, where there are any.
    """
    run, test = declared(folder)
    used = {key(item) for item in imports_installed(folder)}
    tested = {key(item) for item in imports_of_tests(folder)}
    spared = {name for package, name in NOT_IMPORTED if package == folder.name}
    found = {
        "missing": used - set(run),
        "unused": set(run) - used - spared,
        "test missing": tested - set(run) - set(test),
        "test unused": set(test) - tested - spared,
        "twice": {name for name in run + test if (run + test).count(name) > 1},
    }
    return {what: sorted(names) for what, names in found.items() if names}
