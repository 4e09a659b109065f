"""Bring a robot cell up: ``ros2 launch refinery bringup_franka.launch.py robot:=twin|fr3|panda bundle:=...``.

Nodes, parameters and remappings are described in ``refinery.bringup``; this file only makes launch actions of them.
"""

from __future__ import annotations

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from refinery.bringup import NodeSpec, describe_bringup
from refinery.errors import ConfigError, NotReadyError
from refinery.robot_profile import load_robot_profile

ARGUMENTS = {
    "robot": ("twin", "Robot profile: twin, fr3, panda, or a path to a YAML file"),
    "bundle": ("", "Bundle directory; for the twin, the one `make demo` made if empty"),
    "task": ("", "Task of the twin: a name or a path; the bundle's if empty"),
    "robot_ip": ("", "Address of the robot's control unit; empty: its driver runs already"),
    "use_fake_hardware": ("false", "ros2_control's mock hardware instead of a robot (planning only: nothing moves)"),
    "namespace": ("", "Put the nodes under this namespace"),
}


def node_action(spec: NodeSpec) -> Node:
    """Return the launch action of a node."""

    def on_exit(_event: ProcessExited, context: LaunchContext) -> list[Action]:
        # In a shutdown already, a second one would interrupt nodes that still put the arm in order.
        return [] if context.is_shutdown or not spec.required else [Shutdown(reason=f"{spec.name} ended")]

    kind = LifecycleNode if spec.lifecycle else Node
    return kind(
        package=spec.package,
        executable=spec.executable,
        name=spec.name,
        namespace=spec.namespace,
        parameters=[dict(spec.parameters)],
        remappings=list(spec.remappings),
        output="screen",
        on_exit=on_exit,
    )


def driver_actions(robot: str, robot_ip: str, use_fake_hardware: bool) -> list[Action]:
    """Return what starts the robot's own software, or nothing if it runs already."""
    profile = load_robot_profile(robot)
    if not robot_ip and not use_fake_hardware:
        return []
    if profile.driver is None:
        hint = "the twin needs none" if profile.twin else "start the driver by hand and leave robot_ip empty"
        raise ConfigError("bring-up", "robot_ip", f"empty: the profile {profile.name} names no driver", robot_ip, hint)
    driver = profile.driver
    try:
        share = Path(get_package_share_directory(driver.package))
    except PackageNotFoundError:
        raise NotReadyError(
            f"{profile.name} needs the package {driver.package}, which is not in this environment: "
            "install and source it, or start the driver elsewhere and leave robot_ip empty"
        ) from None
    arguments = {
        **driver.arguments,
        "robot_ip": robot_ip or "none",
        "use_fake_hardware": str(use_fake_hardware).lower(),
    }
    source = PythonLaunchDescriptionSource(str(share / "launch" / driver.launch_file))
    return [IncludeLaunchDescription(source, launch_arguments=arguments.items())]


def bring_up(context: LaunchContext) -> list[Action]:
    """Read the arguments and return the actions."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    if value["use_fake_hardware"] not in ("true", "false"):
        raise ConfigError("bring-up", "use_fake_hardware", "true or false", value["use_fake_hardware"])
    specs = describe_bringup(
        value["robot"],
        bundle=value["bundle"] or None,
        task=value["task"] or None,
        namespace=value["namespace"],
    )
    driver = driver_actions(value["robot"], value["robot_ip"], value["use_fake_hardware"] == "true")
    return [*driver, *(node_action(spec) for spec in specs)]


def generate_launch_description() -> LaunchDescription:
    """Entry point of ``ros2 launch``."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=bring_up)])
