"""One launch file of another package that a bring-up includes, described without ROS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from refinery.errors import ConfigError, NotReadyError
from refinery.paths import share_dir

_OWN = "refinery"


@dataclass(frozen=True, kw_only=True)
class IncludeSpec:
    """A launch file and what it is given."""

    package: str
    """Package of the file."""
    launch_file: str
    """Its name in the package's launch folder."""
    arguments: Mapping[str, str]
    """All arguments, by name."""
    starts: str
    """Node that it starts and that must not run twice in a namespace."""
    declares_all: bool = True
    """It declares every argument it reads, so that one it does not declare is of another version or package."""
    source: str = ""
    """File that requires it, for messages."""

    def path(self) -> Path:
        """Return where the file is.

        Raises:
            NotReadyError: Package or file are not in this environment.
        """
        # Our own files are found as config/ is: in the checkout if there is one.
        path = (share_dir() if self.package == _OWN else self._share()) / "launch" / self.launch_file
        if not path.is_file():
            raise NotReadyError(
                f"{self.source} needs {self.launch_file} of the package {self.package}, expected at {path}: "
                "the package is there but not the file; is it the version the profile is made for?"
            )
        return path

    def check_arguments(self, declared: set[str]) -> None:
        """Check that the launch file takes what it is given.

        Args:
            declared: Names of the arguments it declares.

        Raises:
            ConfigError: It does not declare one, and would ignore it silently.
        """
        unknown = sorted(set(self.arguments) - declared)
        if self.declares_all and unknown:
            raise ConfigError(
                self.source,
                f"{self.package} {self.launch_file}",
                f"a launch file with the argument {unknown[0]}",
                sorted(declared),
                "another version of the package is sourced than this robot needs",
            )

    def _share(self) -> Path:
        from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

        try:
            return Path(get_package_share_directory(self.package))
        except PackageNotFoundError:
            raise NotReadyError(
                f"{self.source} needs the package {self.package}, which is not in this environment: "
                "install and source it, or start that part elsewhere and say so (robot_ip and moveit; docs/robots.md)"
            ) from None
