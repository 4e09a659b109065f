"""What a real robot needs besides the nodes of the workspace: drivers, additional controllers, and MoveIt.

Every arm has one controller manager. The driver's launch file starts it (``franka_bringup``); MoveIt is started by a
launch file that starts ``move_group`` alone, never by one of those that bring a controller manager of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec, check_namespace
from refinery.bringup.robot_launch import DriverSpec
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile

CONTROLLER_MANAGER = "controller_manager"
"""Node that the driver's launch file starts."""
MOVE_GROUP = "move_group"
"""Node that MoveIt's launch file starts."""
SPAWNER_PATIENCE_S = 60
"""Longest wait of a spawner for the controller manager, [s]: a robot's control unit may need half a minute."""


def describe_drivers(
    profile: RobotProfile,
    *,
    robot_ip: str = "",
    use_fake_hardware: bool = False,
    moveit: bool | None = None,
    namespace: str = "",
) -> tuple[list[IncludeSpec], list[NodeSpec]]:
    """Describe what to start for a real robot before our nodes.

    Args:
        profile: The robot.
        robot_ip: Address of its control unit; empty: its driver runs already, or the hardware is not real.
        use_fake_hardware: ros2_control's mock hardware in its place.
        moveit: Start ``move_group``; none: if the driver is started too.
        namespace: Put everything under it, empty or with a leading slash.

    Returns:
        Launch files to include, and the spawners of the controllers to add.

    Raises:
        ConfigError: The profile does not support the request.
    """
    check_namespace(namespace)
    wanted = bool(robot_ip) or use_fake_hardware
    includes: list[IncludeSpec] = []
    spawners: list[NodeSpec] = []
    given = {"robot_ip": robot_ip or "none", "use_fake_hardware": str(use_fake_hardware).lower()}
    if wanted:
        driver = _driver(profile, robot_ip, use_fake_hardware)
        includes.append(_driver_include(profile, driver, given, namespace))
        spawners = _spawners(driver, use_fake_hardware, namespace)
    if wanted if moveit is None else moveit:
        includes += _moveit_include(profile, given, namespace, required=moveit is True)
    return includes, spawners


def _driver(profile: RobotProfile, robot_ip: str, use_fake_hardware: bool) -> DriverSpec:
    if robot_ip and use_fake_hardware:
        hint = "mock hardware has no address"
        raise ConfigError("bring-up", "robot_ip", "none beside use_fake_hardware", robot_ip, hint)
    key, value = ("robot_ip", robot_ip) if robot_ip else ("use_fake_hardware", "true")
    if profile.driver is None:
        hint = "the twin needs none" if profile.twin else "start the driver by hand and leave robot_ip empty"
        raise ConfigError("bring-up", key, f"none: the profile {profile.name} names no driver", value, hint)
    if use_fake_hardware and profile.driver.fake_controllers is None:
        hint = "the twin is a cell to rehearse with"
        raise ConfigError("bring-up", key, f"false: {profile.name} has no mock hardware that loads", value, hint)
    return profile.driver


def _driver_include(profile: RobotProfile, driver: DriverSpec, given: dict[str, str], namespace: str) -> IncludeSpec:
    arguments = {**driver.arguments, **given}
    if driver.controllers_argument is not None:
        arguments[driver.controllers_argument] = str(_parameters(driver.controllers))
    if namespace:
        arguments["namespace"] = namespace
    return IncludeSpec(
        package=driver.package,
        launch_file=driver.launch_file,
        arguments=arguments,
        starts=CONTROLLER_MANAGER,
        source=str(profile.file or profile.name),
    )


def _moveit_include(
    profile: RobotProfile, given: dict[str, str], namespace: str, *, required: bool
) -> list[IncludeSpec]:
    launch = profile.moveit.launch
    if launch is None:
        if required:
            hint = "the twin's nodes include it" if profile.twin else "start move_group by hand"
            raise ConfigError("bring-up", "moveit", f"auto or false: {profile.name} names no launch file", "true", hint)
        return []
    # Such files are known to declare few of the arguments they read, and none has a default: give them all.
    return [
        IncludeSpec(
            package=launch.package,
            launch_file=launch.launch_file,
            arguments={**launch.arguments, **given, "namespace": namespace},
            starts=MOVE_GROUP,
            declares_all=False,
            source=str(profile.file or profile.name),
        )
    ]


def _spawners(driver: DriverSpec, use_fake_hardware: bool, namespace: str) -> list[NodeSpec]:
    """Return one spawner for the controllers to activate and one for those to leave inactive.

    On mock hardware nothing that commands torques is loaded: they have no effect there.
    """
    if use_fake_hardware:
        assert driver.fake_controllers is not None
        return [_spawner(driver.activate, _parameters(driver.fake_controllers), (), namespace)]
    file = None if driver.controllers_argument is not None else _parameters(driver.controllers)
    groups: tuple[tuple[Sequence[str], tuple[str, ...]], ...] = (
        (driver.activate, ()),
        (driver.configure, ("--inactive",)),
    )
    return [_spawner(names, file, more, namespace) for names, more in groups if names]


def _spawner(names: Sequence[str], file: Path | None, more: Sequence[str], namespace: str) -> NodeSpec:
    parameters = () if file is None else ("--param-file", str(file))
    return NodeSpec(
        package=CONTROLLER_MANAGER,
        executable="spawner",
        name=f"spawner_{names[0]}",
        namespace=namespace,
        arguments=(*names, *more, *parameters, "--controller-manager-timeout", str(SPAWNER_PATIENCE_S)),
        required=False,
    )


def _parameters(name: str) -> Path:
    return config_file("controllers", name).resolve()
