from functools import cache
from pathlib import Path

import pytest

from refinery.bringup.drivers import describe_drivers
from refinery.bringup.include_spec import IncludeSpec
from refinery.errors import ConfigError, NotReadyError
from refinery.robot_profile import load_robot_profile

IP = "172.16.0.2"


profile = cache(load_robot_profile)


def drivers(robot, **arguments):
    return describe_drivers(profile(robot), **arguments)


def test_an_fr3_gets_franka_bringup_its_two_controllers_and_move_group_alone():
    (driver, moveit), (active, inactive) = drivers("fr3", robot_ip=IP)
    assert (driver.package, driver.launch_file) == ("franka_bringup", "franka.launch.py")
    assert driver.arguments == {
        "robot_type": "fr3",
        "load_gripper": "true",
        "robot_ip": IP,
        "use_fake_hardware": "false",
    }
    assert (moveit.package, moveit.launch_file) == ("franka_fr3_moveit_config", "move_group.launch.py")
    # That file reads six arguments and declares none of them: one that is missing is an error at launch.
    wanted = {"robot_ip", "load_gripper", "use_fake_hardware", "fake_sensor_commands", "namespace", "arm_prefix"}
    assert moveit.arguments.keys() == wanted
    assert active.arguments[:2] == ("fr3_arm_controller", "--param-file")
    assert inactive.arguments[:3] == ("cartesian_impedance_controller", "--inactive", "--param-file")
    for spawner in (active, inactive):
        assert (spawner.package, spawner.executable, spawner.required) == ("controller_manager", "spawner", False)
        assert Path(spawner.arguments[spawner.arguments.index("--param-file") + 1]).name == "fr3.yaml"
        assert not spawner.parameters


def test_a_panda_s_fork_takes_our_controllers_in_place_of_its_own():
    (driver, moveit), (spawner,) = drivers("panda", robot_ip=IP)
    assert (driver.package, driver.launch_file) == ("franka_bringup", "franka.launch.py")
    assert driver.arguments.keys() == {"arm_id", "load_gripper", "robot_ip", "use_fake_hardware", "controllers_file"}
    file = Path(driver.arguments["controllers_file"])
    assert file.is_absolute() and file.is_file() and file.name == "panda.yaml"
    assert (moveit.package, moveit.path().name) == ("refinery", "move_group_panda.launch.py")
    # The controller manager has the file already.
    assert spawner.arguments[0] == "state_broadcaster" and "--param-file" not in spawner.arguments


def test_mock_hardware_gets_a_position_controller_and_nothing_that_commands_torques():
    (driver, moveit), (spawner,) = drivers("fr3", use_fake_hardware=True)
    assert driver.arguments["use_fake_hardware"] == moveit.arguments["use_fake_hardware"] == "true"
    assert driver.arguments["robot_ip"] == "none"
    assert Path(spawner.arguments[2]).name == "fr3_fake.yaml"
    assert spawner.arguments[0] == "fr3_arm_controller" and "--inactive" not in spawner.arguments


@pytest.mark.parametrize(("moveit", "count"), [(None, 0), (False, 0), (True, 1)])
def test_what_runs_already_is_not_started(moveit, count):
    for robot in ("fr3", "panda"):
        includes, spawners = drivers(robot, moveit=moveit)
        assert ([include.starts for include in includes], spawners) == (["move_group"] * count, [])


def test_moveit_can_be_left_out():
    includes, spawners = drivers("fr3", robot_ip=IP, moveit=False)
    assert [include.starts for include in includes] == ["controller_manager"]
    assert len(spawners) == 2


def test_a_namespace_reaches_everything():
    includes, spawners = drivers("fr3", robot_ip=IP, namespace="/cell")
    assert [include.arguments["namespace"] for include in includes] == ["/cell", "/cell"]
    assert all(spawner.full_name.startswith("/cell/spawner_") for spawner in spawners)


@pytest.mark.parametrize("robot", ["fr3", "panda"])
@pytest.mark.parametrize("fake", [True, False])
@pytest.mark.parametrize("ip", ["", IP])
@pytest.mark.parametrize("moveit", [None, True, False])
def test_there_is_never_a_second_controller_manager(robot, fake, ip, moveit):
    try:
        includes, spawners = drivers(robot, robot_ip=ip, use_fake_hardware=fake, moveit=moveit)
    except ConfigError:
        assert fake
        return
    started = [include.starts for include in includes]
    assert started.count("controller_manager") == bool(ip or fake)
    assert len(set(started)) == len(started)
    assert bool(spawners) == bool(ip or fake)
    assert not {include.launch_file for include in includes} & {"moveit.launch.py", "demo.launch.py"}


@pytest.mark.parametrize(
    ("robot", "arguments", "message"),
    [
        ("fr3", {"robot_ip": IP, "use_fake_hardware": True}, "robot_ip: expected none beside use_fake_hardware"),
        ("panda", {"use_fake_hardware": True}, "panda has no mock hardware that loads"),
        ("twin", {"robot_ip": IP}, "the twin needs none"),
        ("twin", {"use_fake_hardware": True}, "the twin needs none"),
        ("twin", {"moveit": True}, "twin names no launch file"),
        ("fr3", {"robot_ip": IP, "namespace": "cell"}, "leading slash"),
    ],
)
def test_what_a_robot_cannot_do_is_refused(robot, arguments, message):
    with pytest.raises(ConfigError, match=message):
        drivers(robot, **arguments)


def include(**changes):
    values = {"package": "p", "launch_file": "a.launch.py", "arguments": {}, "starts": "n", "source": "robot.yaml"}
    return IncludeSpec(**{**values, **changes})


def test_an_argument_that_the_launch_file_does_not_declare_is_refused():
    # franka_ros2's launch file of the same name drives an FR3: it takes robot_type in place of arm_id.
    (driver, moveit), _ = drivers("panda", robot_ip=IP)
    with pytest.raises(ConfigError, match=r"a launch file with the argument arm_id, got \['robot_ip', 'robot_type'\]"):
        driver.check_arguments({"robot_ip", "robot_type"})
    driver.check_arguments({*driver.arguments, "use_rviz"})
    moveit.check_arguments({"db"})


@pytest.mark.ros
def test_a_missing_package_or_file_says_what_needs_it(tmp_path, monkeypatch):
    with pytest.raises(NotReadyError, match=r"robot\.yaml needs the package no_such_package, which is not in this env"):
        include(package="no_such_package").path()
    with pytest.raises(NotReadyError, match=r"robot\.yaml needs a\.launch\.py of the package refinery, expected at /"):
        include(package="refinery").path()
