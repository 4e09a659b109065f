"""Packaging of refinery, which also installs the workspace's top-level launch/ and config/ into its share."""

import os
from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "refinery"
# colcon --symlink-install runs a link to this file from the build folder: resolve it to find the checkout.
WORKSPACE = Path(__file__).resolve().parents[2]


def tree(folder: str) -> list[tuple[str, list[str]]]:
    """Return the data_files entries of a top-level folder, one for each directory below it."""
    entries: dict[str, list[str]] = {}
    for file in sorted((WORKSPACE / folder).rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts and not file.name.startswith("."):
            share = f"share/{PACKAGE}/{file.parent.relative_to(WORKSPACE).as_posix()}"
            entries.setdefault(share, []).append(os.path.relpath(file))
    return list(entries.items())


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test", "test.*"]),
    package_data={"": ["py.typed", "**/*.yaml", "**/*.json"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
        *tree("launch"),
        *tree("config"),
    ],
    install_requires=["setuptools"],
    zip_safe=False,
    maintainer="Refinery maintainers",
    maintainer_email="maintainers@refinery.example.com",
    description="The ROS-free library under every other Refinery package: task, bundle, statistics, bring-up",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            "refinery = refinery.cli.main:main",
        ],
    },
)
