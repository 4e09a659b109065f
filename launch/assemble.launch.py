"""Bring up a cell that assembles: ``ros2 launch refinery assemble.launch.py sequence:=gearbox``.

All nodes of ``bringup_franka.launch.py``, with the assembly node beside them; ``refinery assemble`` then begins a run.
"""

from __future__ import annotations

from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

ARGUMENTS = {
    "sequence": (None, "Sequence to assemble: a name in config/sequences or a path to a YAML file"),
    "bundles": ("", "Folder of its bundles, named as tasks or as steps say; empty on the twin: those shipped"),
    "robot": ("twin", "Robot profile: twin, fr3, panda, or a path to a YAML file"),
    "robot_ip": ("", "Address of the robot's control unit; empty: its driver and controllers run already"),
    "namespace": ("", "Put everything under this namespace"),
}


def generate_launch_description() -> LaunchDescription:
    """Entry point of ``ros2 launch``."""
    declared = [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, (default, description) in ARGUMENTS.items()
    ]
    source = PythonLaunchDescriptionSource(str(Path(__file__).with_name("bringup_franka.launch.py")))
    arguments = {name: LaunchConfiguration(name) for name in ARGUMENTS}
    return LaunchDescription([*declared, IncludeLaunchDescription(source, launch_arguments=arguments.items())])
