"""Parts of a real robot's profile: launch files of other packages to start, and controllers."""

from __future__ import annotations

from dataclasses import dataclass, field

from refinery.config import check

OWN_DRIVERS = ("moveit.launch.py", "demo.launch.py")
"""Launch files of MoveIt configurations that start a controller manager of their own beside ``move_group``."""


@dataclass(frozen=True, kw_only=True)
class LaunchFileSpec:
    """A launch file in the ``launch`` folder of a package."""

    package: str
    """Package."""
    launch_file: str
    """File name."""
    arguments: dict[str, str] = field(default_factory=dict)
    """Arguments by name, besides ``robot_ip``, ``use_fake_hardware`` and ``namespace``, which the bring-up gives."""

    def __post_init__(self) -> None:
        """Validate names."""
        check(self.package.isidentifier(), "package", "the name of a package", self.package)
        named = self.launch_file.endswith(".launch.py") and "/" not in self.launch_file
        check(named, "launch_file", "the name of a .launch.py file", self.launch_file)


@dataclass(frozen=True, kw_only=True)
class MoveItLaunchSpec(LaunchFileSpec):
    """Starts ``move_group`` and nothing that drives the arm: the driver's launch file does that."""

    def __post_init__(self) -> None:
        """Refuse files that would put a second controller manager on the arm."""
        super().__post_init__()
        expected = f"a file that starts move_group alone ({' and '.join(OWN_DRIVERS)} start drivers too)"
        check(self.launch_file not in OWN_DRIVERS, "launch_file", expected, self.launch_file)


@dataclass(frozen=True, kw_only=True)
class DriverSpec(LaunchFileSpec):
    """The launch file that starts ros2_control on the robot, and the controllers to add to it."""

    controllers: str
    """Parameter file of the controllers: a name in ``config/controllers`` or a path."""
    controllers_argument: str | None = None
    """Argument by which the launch file takes that file in place of its own; none: each controller of ``activate`` and
    ``configure`` is given it when it is loaded."""
    activate: tuple[str, ...] = ()
    """Controllers to load and activate, which the launch file does not."""
    configure: tuple[str, ...] = ()
    """Controllers to load and leave inactive, which the launch file does not."""
    fake_controllers: str | None = None
    """Parameter file of ``activate`` on ros2_control's mock hardware, which follows positions and ignores torques; none
    if there is no mock hardware."""

    def __post_init__(self) -> None:
        """Validate names."""
        super().__post_init__()
        spawned = (*self.activate, *self.configure)
        check(len(set(spawned)) == len(spawned), "configure", "every controller once, here or in activate", spawned)
