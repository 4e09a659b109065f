"""Bring a robot cell up: ``ros2 launch refinery bringup_franka.launch.py robot:=twin|fr3|panda bundle:=...``.

With ``robot_ip`` it starts drivers, controllers and MoveIt too, once (docs/robots.md). Nodes and launch files are
described in ``refinery.bringup``; this file only makes launch actions of them.
"""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from refinery.bringup.description import describe_bringup
from refinery.bringup.drivers import describe_drivers
from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.running import check_not_running
from refinery.errors import ConfigError
from refinery.robot_profile import load_robot_profile

ARGUMENTS = {
    "robot": ("twin", "Robot profile: twin, fr3, panda, or a path to a YAML file"),
    "bundle": ("", "Bundle directory; for the twin, the one `make demo` made if empty"),
    "task": ("", "The bundle's task, a name or a path, to be sure: another one is refused"),
    "sequence": ("", "Sequence to assemble, a name or a path, instead of one bundle; see assemble.launch.py"),
    "bundles": ("", "Folder of the sequence's bundles"),
    "robot_ip": ("", "Address of the robot's control unit; empty: its driver and controllers run already"),
    "moveit": ("auto", "Start move_group of a real robot: true, false, or auto, which is with the driver"),
    "use_fake_hardware": ("false", "Mock hardware, its controllers and MoveIt, without our nodes: it measures nothing"),
    "namespace": ("", "Put everything under this namespace"),
}
CHOICES = {"use_fake_hardware": {"true": True, "false": False}, "moveit": {"true": True, "false": False, "auto": None}}


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
        arguments=list(spec.arguments),
        # A spawner takes a parameter file for its controllers': none where there is nothing to say.
        parameters=[dict(spec.parameters)] if spec.parameters else [],
        remappings=list(spec.remappings),
        output="screen",
        on_exit=on_exit,
    )


def include_action(spec: IncludeSpec, context: LaunchContext) -> Action:
    """Return the launch action of another package's launch file, after a look at what it takes."""
    source = PythonLaunchDescriptionSource(str(spec.path()))
    if spec.declares_all:
        spec.check_arguments({each.name for each in source.get_launch_description(context).get_launch_arguments()})
    # In a scope of its own: the arguments of one file would otherwise be those of the next.
    return GroupAction([IncludeLaunchDescription(source, launch_arguments=spec.arguments.items())])


def bring_up(context: LaunchContext) -> list[Action]:
    """Read the arguments and return the actions."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    for name, choices in CHOICES.items():
        if value[name] not in choices:
            raise ConfigError("bring-up", name, " or ".join(choices), value[name])
    use_fake_hardware = CHOICES["use_fake_hardware"][value["use_fake_hardware"]]
    includes, spawners = describe_drivers(
        load_robot_profile(value["robot"]),
        robot_ip=value["robot_ip"],
        use_fake_hardware=use_fake_hardware,
        moveit=CHOICES["moveit"][value["moveit"]],
        namespace=value["namespace"],
    )
    nodes = (
        []
        if use_fake_hardware
        else describe_bringup(
            value["robot"],
            bundle=value["bundle"] or None,
            task=value["task"] or None,
            sequence=value["sequence"] or None,
            bundles=value["bundles"] or None,
            namespace=value["namespace"],
        )
    )
    included = [include_action(spec, context) for spec in includes]
    check_not_running(includes, value["namespace"], nodes=nodes)
    return [*included, *(node_action(spec) for spec in [*spawners, *nodes])]


def generate_launch_description() -> LaunchDescription:
    """Entry point of ``ros2 launch``."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=bring_up)])
