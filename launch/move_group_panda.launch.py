"""Start MoveIt's ``move_group`` for a Panda, and nothing that drives the arm.

MoveIt's stock configuration of the Panda has only a demo, with a mock robot of its own. This takes its limits,
kinematics and collision pairs, adds the tool frame, and executes through the trajectory controller of the libfranka 0.9
forks.
"""

from __future__ import annotations

from launch import LaunchContext, LaunchDescription
from launch.action import Action
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from moveit_configs_utils import MoveItConfigsBuilder

from refinery.paths import share_dir


def move_group(context: LaunchContext) -> list[Action]:
    """Return ``move_group`` and the transform that its virtual joint stands for."""
    namespace = LaunchConfiguration("namespace").perform(context)
    own = share_dir() / "config" / "moveit"
    moveit = (
        MoveItConfigsBuilder("moveit_resources_panda")
        .robot_description(file_path=str(own / "panda.urdf.xacro"))
        .robot_description_semantic(file_path="config/panda.srdf")
        # It would switch controllers if its plugin could; said anyway, since the policy node is the one who does.
        .trajectory_execution(file_path=str(own / "panda_controllers.yaml"), moveit_manage_controllers=False)
        .planning_pipelines(pipelines=["ompl"])
        .to_moveit_configs()
    )
    return [
        Node(
            package="moveit_ros_move_group",
            executable="move_group",
            name="move_group",
            namespace=namespace,
            parameters=[moveit.to_dict()],
            output="screen",
        ),
        # The stock virtual joint floats: without this transform MoveIt never knows where the base is.
        Node(
            package="tf2_ros",
            executable="static_transform_publisher",
            name="world_to_panda",
            namespace=namespace,
            arguments=["--frame-id", "world", "--child-frame-id", "panda_link0"],
            output="log",
        ),
    ]


def generate_launch_description() -> LaunchDescription:
    """Entry point of ``ros2 launch``."""
    namespace = DeclareLaunchArgument("namespace", default_value="", description="Put move_group under this namespace")
    return LaunchDescription([namespace, OpaqueFunction(function=move_group)])
