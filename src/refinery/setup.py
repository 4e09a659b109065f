"""Packaging of refinery, which also installs the workspace's top-level launch/ and config/ into its share."""

import hashlib
import json
import os
import shutil
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

from setuptools import Distribution, Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

PACKAGE = "refinery"
# colcon --symlink-install runs a link to this file from the build folder: resolve it to find the checkout.
WORKSPACE = Path(__file__).resolve().parents[2]

COMPILED = "refinery_tick_compiled"
"""Folder of the compiled tick, which :mod:`refinery.tick.compiled` reads: beside the sources it would hide edits."""
GROUP = "refinery_tick"
TICK = (
    *("pose", "samples", "decoder", "encoder", "interpolator", "tick_result", "timing", "runtime"),
    *("guard/bounds", "guard/decision", "guard/estimates", "guard/guard", "guard/out_of_distribution", "guard/reason"),
)
"""Modules of refinery.tick that are compiled, as one group: within it mypyc calls C functions."""


class CompileTick(build_ext):
    """Compiles the policy tick with mypyc; without mypy or a compiler the source runs as it is."""

    def run(self) -> None:
        """Compile beside the sources (``--symlink-install``) or into what will be installed."""
        # colcon develops in the package's build folder, which is then on the path of Python.
        home = Path(COMPILED) if self.inplace else Path(self.build_lib, COMPILED)
        shutil.rmtree(home, ignore_errors=True)
        try:
            compile_tick(home, Path(self.build_temp, GROUP))
        except (Exception, SystemExit) as error:
            # The reasons are many (no mypy, no compiler, a full disk), and none keeps the workspace from running.
            print(f"{PACKAGE}: the policy tick stays interpreted, which is slower: {error}", file=sys.stderr)

    def get_outputs(self) -> list[str]:
        """Return what was built for an installation."""
        return [str(path) for path in Path(self.build_lib, COMPILED).rglob("*") if path.is_file()]


def compile_tick(home: Path, scratch: Path) -> None:
    """Compile the tick.

    Args:
        home: Folder for the extensions, each by the name of its module, and for the hashes of their sources.
        scratch: Folder for what is made on the way.
    """
    from mypyc.build import mypycify

    sources = {name: Path(PACKAGE, "tick", f"{name}.py") for name in TICK}
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sources.items()}
    options = ["--config-file=", "--ignore-missing-imports", f"--cache-dir={scratch / 'mypy'}"]
    extensions = mypycify(
        [*options, *map(str, sources.values())],
        opt_level="3",
        debug_level="0",
        group_name=GROUP,
        target_dir=str(scratch / "c"),
    )
    for extension in extensions:
        # Arithmetic as the interpreter does it, to the last bit, on every processor.
        extension.extra_compile_args.append("-ffp-contract=off")
    command = Distribution({"name": GROUP, "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = str(scratch / "lib"), str(scratch / "o")
    command.ensure_finalized()
    command.run()
    home.mkdir(parents=True)
    for extension in command.extensions:
        shutil.copy(command.get_ext_fullpath(extension.name), home / f"{extension.name}{EXTENSION_SUFFIXES[0]}")
    # Last: without it nothing here is ever loaded.
    (home / "sources.json").write_text(json.dumps(hashes, indent=1) + "\n", encoding="utf-8")


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
        *tree("policies/assembly"),
    ],
    install_requires=["setuptools"],
    # The name is only for setuptools to ask CompileTick, which makes the real ones.
    ext_modules=[Extension(f"{COMPILED}.{GROUP}", sources=[])],
    cmdclass={"build_ext": CompileTick},
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
