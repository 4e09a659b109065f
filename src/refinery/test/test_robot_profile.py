import dataclasses
from operator import attrgetter

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from refinery import extends, strict_yaml
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile

ROBOTS = ("twin", "fr3", "panda")
FR3 = load_robot_profile("fr3")


@pytest.fixture
def edited(tmp_path):
    """Write a copy of a profile after a change to its mapping, and return its path."""

    def edit(change, robot="twin"):
        raw = extends.read(config_file("robots", robot)).content
        change(raw)
        path = tmp_path / "robot.yaml"
        path.write_text(yaml.safe_dump(raw))
        return path

    return edit


@pytest.mark.parametrize("robot", ROBOTS)
def test_shipped_profile_is_consistent(robot):
    profile = load_robot_profile(robot)
    assert profile.name == robot
    assert len(profile.joint_names) == 7
    assert profile.trajectory_topic == f"{profile.trajectory_controller}/joint_trajectory"
    assert (profile.twin is not None) == (robot == "twin") == profile.use_sim_time
    assert profile.services.list_controllers == "controller_manager/list_controllers"
    planned = profile.limits.velocity_scaling * np.array(profile.limits.velocity_rad_s)
    assert profile.planned_velocity_rad_s == pytest.approx(planned)


PANDA_LOW = (-2.8973, -1.7628, -2.8973, -3.0718, -2.8973, -0.0175, -2.8973)
OWN = {
    "use_sim_time": (True, False, False),
    "frames.base": ("panda_link0", "base", "panda_link0"),
    "limits.low_rad": (PANDA_LOW, (-2.7437, -1.7837, -2.9007, -3.0421, -2.8065, 0.5445, -3.0159), PANDA_LOW),
    "limits.velocity_rad_s": (
        (2.175,) * 4 + (2.61,) * 3,
        (2.62,) * 4 + (5.26, 4.18, 5.26),
        (2.175,) * 4 + (2.61,) * 3,
    ),
    "limits.torque_nm": ((87.0,) * 4 + (12.0,) * 3,) * 3,
    "limits.velocity_scaling": (0.5, 0.2, 0.2),
    "limits.acceleration_scaling": (0.5, 0.2, 0.2),
    "limits.tool_speed_m_s": (1.7, 3.0, 1.7),
    "limits.tool_wrench": ((100.0,) * 3 + (12.0,) * 3,) * 3,
    "topics.pose.name": (
        "franka_robot_state_broadcaster/current_pose",
        "franka_robot_state_broadcaster/current_pose",
        "current_pose",
    ),
    "topics.pose.reliability": ("best_effort", "best_effort", "reliable"),
    "topics.robot_state.type": ("franka_msgs/msg/FrankaRobotState",) * 2 + ("franka_msgs/msg/FrankaState",),
    "controllers.trajectory": ("joint_trajectory_controller", "fr3_arm_controller", "joint_trajectory_controller"),
    "services.error_recovery_type": ("franka_msgs/action/ErrorRecovery",) * 2 + ("franka_msgs/srv/ErrorRecovery",),
    "impedance.max_stiffness": ((900.0,) * 3 + (60.0,) * 3,) * 3,
    "impedance.error_clip": ((0.1,) * 3 + (0.5,) * 3, (0.1,) * 3 + (0.2,) * 3, (0.1,) * 3 + (0.2,) * 3),
    "moveit.group": ("panda_arm", "fr3_arm", "panda_arm"),
    "gripper_namespace": ("franka_gripper", "franka_gripper", "panda_gripper"),
}
"""What each robot of ROBOTS is known to have, from whichever file its profile takes it."""


@pytest.mark.parametrize("key", OWN)
def test_each_profile_has_its_robot_s_own_values(key):
    assert tuple(attrgetter(key)(load_robot_profile(robot)) for robot in ROBOTS) == OWN[key]


def test_no_profile_inherits_what_differs_between_a_robot_and_the_twin():
    for robot in ROBOTS:
        own = strict_yaml.read(config_file("robots", robot))
        assert {"name", "use_sim_time", "limits", "impedance"} <= own.keys()
        assert {"velocity_scaling", "acceleration_scaling"} <= own["limits"].keys() and "error_clip" in own["impedance"]


@pytest.mark.parametrize("robot", ROBOTS)
def test_home_is_the_ready_pose_of_the_arm(robot):
    profile = load_robot_profile(robot)
    tool = profile.arm_kinematics().forward(profile.home_rad)
    # The flange of libfranka's ready pose is at (0.3069, 0, 0.5903), the fingertips 0.1034 below, hand straight down.
    assert np.allclose(tool.pos_m[0], [0.3069, 0.0, 0.4869], atol=1e-4)
    assert np.allclose(tool.rotation.as_matrix()[0], np.diag([1.0, -1.0, -1.0]), atol=1e-9)


@pytest.mark.parametrize("robot", ROBOTS)
def test_the_tool_of_the_franka_hand_is_given_from_joint_7_with_the_flange_offset(robot):
    tool = load_robot_profile(robot).kinematics.link7_from_tool
    assert tool.xyz_m == pytest.approx((0.0, 0.0, 0.107 + 0.1034))


def test_the_pose_of_the_tool_is_asked_for_by_its_new_name(edited):
    def old_name(raw):
        raw["kinematics"]["flange_to_tool"] = raw["kinematics"].pop("link7_from_tool")

    with pytest.raises(ConfigError) as refused:
        load_robot_profile(edited(old_name))
    assert refused.value.key == "kinematics.flange_to_tool"
    assert "link7_from_tool" in str(refused.value)


def test_broadcaster_topics_are_best_effort_as_on_the_real_robot():
    for robot in ("twin", "fr3"):
        topics = load_robot_profile(robot).topics
        for topic in (topics.pose, topics.joint_state, topics.wrench):
            assert topic.name.startswith("franka_robot_state_broadcaster/")
            assert (topic.reliability, topic.depth) == ("best_effort", 1)


def test_twin_and_fr3_differ_only_in_names_not_in_the_shape_of_the_interface():
    twin, fr3 = load_robot_profile("twin"), load_robot_profile("fr3")
    for name, topic in vars(twin.topics).items():
        other = getattr(fr3.topics, name)
        assert (topic.type, topic.reliability, topic.depth) == (other.type, other.reliability, other.depth), name


def test_the_names_of_the_real_robots_are_those_of_their_sources():
    fr3, panda = load_robot_profile("fr3"), load_robot_profile("panda")
    assert fr3.follow_joint_trajectory == "fr3_arm_controller/follow_joint_trajectory"
    assert panda.follow_joint_trajectory == "joint_trajectory_controller/follow_joint_trajectory"
    # franka_ros2's node is franka_gripper, though its MoveIt configuration says fr3_gripper; the forks' panda_gripper.
    assert (fr3.gripper_homing, panda.gripper_homing) == ("franka_gripper/homing", "panda_gripper/homing")
    assert (fr3.gripper_move, fr3.gripper_grasp) == ("franka_gripper/move", "franka_gripper/grasp")
    # The broadcaster stamps with the root of the description: base in franka_description, panda_link0 in the fork.
    assert (fr3.base_frame, panda.base_frame) == ("base", "panda_link0")
    assert fr3.services.error_recovery == "action_server/error_recovery"
    assert panda.services.error_recovery == "panda_error_recovery_service_server/error_recovery"


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_client_of_moveit_finds_all_it_needs(robot):
    moveit = load_robot_profile(robot).moveit
    assert (moveit.move_action, moveit.execute_trajectory) == ("move_action", "execute_trajectory")
    assert (moveit.compute_ik, moveit.compute_cartesian_path) == ("compute_ik", "compute_cartesian_path")
    assert moveit.apply_planning_scene == "apply_planning_scene"
    hand = moveit.tip_link.removesuffix("_tcp")
    arm = hand.removesuffix("_hand")
    assert moveit.touch_links == (hand, f"{arm}_leftfinger", f"{arm}_rightfinger")


def test_the_fr3_names_no_pipeline_since_its_configuration_calls_ompl_otherwise():
    fr3, panda = load_robot_profile("fr3").moveit, load_robot_profile("panda").moveit
    assert (fr3.pipeline_id, fr3.planner_id) == ("", "")
    assert (panda.pipeline_id, panda.planner_id) == ("ompl", "RRTConnectkConfigDefault")


def test_a_simulated_cell_has_no_driver(edited):
    driver = extends.read(config_file("robots", "fr3")).content["driver"]
    with pytest.raises(ConfigError, match="driver: expected none for a simulated cell"):
        load_robot_profile(edited(lambda raw: raw.update(driver=driver)))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda raw: raw["moveit"]["launch"].update(launch_file="moveit.launch.py"), "moveit.launch.launch_file"),
        (lambda raw: raw["moveit"]["launch"].update(launch_file="launch/x.launch.py"), "moveit.launch.launch_file"),
        (lambda raw: raw["driver"].update(package="franka bringup"), "driver.package"),
        (lambda raw: raw["driver"].update(launch_file="franka.yaml"), "driver.launch_file"),
        (lambda raw: raw["driver"].update(configure=["fr3_arm_controller"]), "driver.configure"),
        (lambda raw: raw["driver"].pop("controllers"), "driver.controllers"),
    ],
)
def test_a_wrong_launch_file_is_refused_naming_file_and_key(edited, change, key):
    path = edited(change, "fr3")
    with pytest.raises(ConfigError, match=f"{path}: {key}"):
        load_robot_profile(path)


def test_a_path_is_accepted(edited):
    assert load_robot_profile(edited(lambda raw: raw.update(name="mine"))).name == "mine"


def test_a_profile_knows_its_file_and_how_often_it_measures(edited):
    path = edited(lambda raw: raw["twin"].update(state_rate_hz=100.0))
    profile = load_robot_profile(path)
    assert (profile.file, profile.measured_rate_hz) == (path, 100.0)
    assert [load_robot_profile(robot).measured_rate_hz for robot in ("fr3", "panda")] == [1000.0, 500.0]
    assert load_robot_profile(edited(lambda raw: raw.pop("state_rate_hz"), "fr3")).measured_rate_hz is None


def test_unknown_robot_names_those_there_are():
    with pytest.raises(ConfigError, match="fr3, panda, twin"):
        load_robot_profile("ur5")


def cut_to_six(raw) -> None:
    for part in (raw, raw["limits"], raw["kinematics"]):
        for key, values in part.items():
            if isinstance(values, list) and len(values) == 7:
                part[key] = values[:6]


def test_an_arm_has_as_many_joints_as_its_profile_names(edited):
    profile = load_robot_profile(edited(cut_to_six, "fr3"))
    assert profile.arm_kinematics().jacobian(profile.home_rad).shape == (1, 6, 6)
    assert len(profile.planned_velocity_rad_s) == 6
    with pytest.raises(ConfigError, match="the simulated arm is a Panda"):
        load_robot_profile(edited(cut_to_six, "twin"))
    with pytest.raises(ConfigError, match=r"limits\.torque_nm: expected a list of 7 values"):
        load_robot_profile(edited(lambda raw: raw["limits"]["torque_nm"].pop(), "fr3"))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (lambda raw: raw.update(joint_name=["a"]), "joint_name"),
        (lambda raw: raw.pop("home_rad"), "home_rad"),
        (lambda raw: raw.update(home_rad=[0.0] * 7), "home_rad"),
        (lambda raw: raw.update(home_rad=[0.0] * 6), "home_rad"),
        (lambda raw: raw.update(joint_names=["joint"] * 7), "joint_names"),
        (lambda raw: raw.update(use_sim_time="yes"), "use_sim_time"),
        (lambda raw: raw["limits"].update(velocity_scaling=1.5), "limits.velocity_scaling"),
        (lambda raw: raw["limits"].update(velocity_rad_s=[1, 1, 1, 0, 1, 1, 1]), "limits.velocity_rad_s"),
        (lambda raw: raw["limits"].update(high_rad=list(raw["limits"]["low_rad"])), "limits.high_rad"),
        (lambda raw: raw["frames"].update(tool="/hand"), "frames.tool"),
        (lambda raw: raw["kinematics"].update(a_m=[float("nan")] * 7), r"kinematics.a_m\[0\]"),
        (lambda raw: raw["kinematics"]["link7_from_tool"].update(rpy_rad=[0, 0, -45]), "kinematics"),
        (lambda raw: raw["topics"]["pose"].update(reliability="sometimes"), "topics.pose.reliability"),
        (lambda raw: raw["topics"]["pose"].update(name="/current_pose"), "topics.pose.name"),
        (lambda raw: raw["topics"]["pose"].update(type="PoseStamped"), "topics.pose.type"),
        (lambda raw: raw["topics"]["pose"].update(depth=0), "topics.pose.depth"),
        (lambda raw: raw["topics"]["joint_trajectory"].update(name="other/topic"), "topics.joint_trajectory"),
        (lambda raw: raw["controllers"].update(impedance=raw["controllers"]["trajectory"]), "controllers.impedance"),
        (lambda raw: raw["services"].update(switch_controller=""), "services.switch_controller"),
        (lambda raw: raw["twin"].update(realtime_factor=-1.0), "twin.realtime_factor"),
        (lambda raw: raw["twin"].update(state_rate_hz=5000.0), "twin.state_rate_hz"),
        (lambda raw: raw.update(state_rate_hz=250.0), "state_rate_hz: expected nothing beside twin.state_rate_hz"),
        (lambda raw: raw["limits"].update(tool_speed_m_s=0.0), "limits.tool_speed_m_s"),
        (lambda raw: raw["limits"].update(tool_wrench=[1.0] * 5 + [0.0]), "limits.tool_wrench"),
        (lambda raw: raw["impedance"].update(max_stiffness=[900.0] * 3), "impedance.max_stiffness"),
        (lambda raw: raw["impedance"].update(error_clip=[-0.1] * 6), "impedance.error_clip"),
        (lambda raw: raw["impedance"].update(damping=[98.0] * 5 + [0.0]), "impedance.damping"),
        (lambda raw: raw.update(file="x.yaml"), "file: expected a known key"),
        (lambda raw: raw.update(gripper_namespace="/franka_gripper"), "gripper_namespace"),
        (lambda raw: raw["moveit"].update(compute_ik="/compute_ik"), "moveit.compute_ik"),
        (lambda raw: raw["moveit"].update(touch_links=[]), "moveit.touch_links"),
        (lambda raw: raw["moveit"].update(planning_attempts=0), "moveit.planning_attempts"),
        (lambda raw: raw["moveit"].update(allowed_planning_time_s=0.0), "moveit.allowed_planning_time_s"),
        (lambda raw: raw["moveit"].update(group=""), "moveit.group"),
    ],
)
def test_a_wrong_value_is_refused_naming_file_and_key(edited, change, key):
    path = edited(change)
    with pytest.raises(ConfigError, match=f"{path}: {key}"):
        load_robot_profile(path)


@given(st.lists(st.floats(-10, 10), min_size=7, max_size=7))
def test_home_outside_the_limits_is_always_refused(joints):
    limits = zip(FR3.limits.low_rad, joints, FR3.limits.high_rad, strict=True)
    inside = all(low < joint < high for low, joint, high in limits)
    try:
        dataclasses.replace(FR3, home_rad=tuple(joints))
        accepted = True
    except ConfigError:
        accepted = False
    assert accepted == inside
