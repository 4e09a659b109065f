"""The controllers' parameter files against profiles, tasks, simulation, and the names in the controllers' sources."""

import math
from functools import cache

import pytest

from refinery import strict_yaml
from refinery.controller_gains import configured_damping
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.task import load_task

ROBOTS = ("fr3", "panda")
AXES = ("x", "y", "z")
# Parameters of crisp_controllers/CartesianController (its src/cartesian_controller.yaml) with the range, if any.
CRISP = {
    "type": None,
    "joints": None,
    "end_effector_frame": None,
    "base_frame": None,
    "use_operational_space": None,
    "use_friction": None,
    "use_coriolis_compensation": None,
    "use_gravity_compensation": None,
    "use_local_jacobian": None,
    **{f"task.{gain}_{kind}_{axis}": (0, 5000) for gain in "kd" for kind in ("pos", "rot") for axis in AXES},
    **{f"task.error_clip.{axis}": None for axis in (*AXES, "rx", "ry", "rz")},
    "variable_max_stiffness.translational": (0, 5000),
    "variable_max_stiffness.rotational": (0, 100),
    "variable_stiffness.enabled": None,
    "variable_stiffness.topic": None,
    "limit_error": None,
    "limit_torques": None,
    "max_delta_tau": None,
    "filter.target_pose": (0.1, 1),
    **{f"filter.{name}": (0, 1) for name in ("q", "dq", "q_ref", "output_torque")},
    "nullspace.stiffness": (0, 500),
    "nullspace.projector_type": None,
    "nullspace.max_tau": None,
    "joint_limit_repulsion.enabled": None,
    "joint_limit_repulsion.safe_range": (0.01, 1),
    "joint_limit_repulsion.max_torque": (0, 50),
}


profile_of = cache(load_robot_profile)


@cache
def controllers(name):
    """Read a file as the spawner does: parameters by controller, under the wildcard of all namespaces."""
    content = strict_yaml.read(config_file("controllers", name))
    assert content.keys() == {"/**"}
    return {node: part["ros__parameters"] for node, part in content["/**"].items()}


def flat(parameters, prefix=""):
    for key, value in parameters.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


@pytest.fixture(params=ROBOTS)
def cell(request):
    profile = profile_of(request.param)
    content = controllers(profile.driver.controllers)
    return profile, content[profile.trajectory_controller], content[profile.impedance_controller]


def test_frames_and_joints_are_the_profile_s(cell):
    profile, trajectory, impedance = cell
    assert tuple(trajectory["joints"]) == tuple(impedance["joints"]) == profile.joint_names
    assert (impedance["base_frame"], impedance["end_effector_frame"]) == (profile.frames.base, profile.frames.tool)
    assert profile.target_stiffness_topic == impedance["variable_stiffness"]["topic"]
    assert trajectory["gains"].keys() == set(profile.joint_names)


def test_every_parameter_of_the_impedance_controller_exists_and_is_in_range(cell):
    for name, value in flat(cell[2]):
        assert name in CRISP, name
        low, high = CRISP[name] or (-math.inf, math.inf)
        assert not isinstance(value, (int, float)) or low <= value <= high, name
        # ROS has no implicit conversion: a whole number for a double fails the load.
        assert type(value) is not int, name


def test_the_profile_knows_the_limits_of_the_impedance_controller(cell):
    profile, _, impedance = cell
    most = impedance["variable_max_stiffness"]
    assert profile.impedance.max_stiffness == (most["translational"],) * 3 + (most["rotational"],) * 3
    assert profile.impedance.error_clip == tuple(impedance["task"]["error_clip"].values())
    assert impedance["limit_error"] and impedance["limit_torques"] and impedance["max_delta_tau"] < 1.0
    limits = zip(profile.impedance.max_stiffness, profile.impedance.error_clip, profile.limits.tool_wrench, strict=True)
    assert all(stiffness * clip <= wrench for stiffness, clip, wrench in limits)


@pytest.mark.parametrize(
    "task", sorted(config_file("tasks", "peg_rect").parent.glob("*.yaml")), ids=lambda path: path.stem
)
def test_gains_are_those_that_policies_are_trained_with(cell, task):
    profile, _, impedance = cell
    control, gains = load_task(task).control, impedance["task"]
    assert tuple(gains[f"k_{kind}_{axis}"] for kind in ("pos", "rot") for axis in AXES) == control.stiffness
    damping = tuple(gains[f"d_{kind}_{axis}"] for kind in ("pos", "rot") for axis in AXES)
    assert damping == pytest.approx(control.damping, rel=1e-3)
    assert tuple(gain.value for gain in configured_damping(profile)) == damping
    # In training the springs lie along the base's axes.
    assert impedance["use_local_jacobian"] is False


def test_the_robot_compensates_gravity_and_the_controller_does_not(cell):
    impedance = cell[2]
    assert impedance["use_gravity_compensation"] is False
    assert impedance["use_coriolis_compensation"] is True


def test_switching_stays_on_torques_and_the_trajectory_controller_starts_where_the_arm_is(cell):
    profile, trajectory, _ = cell
    assert trajectory["command_interfaces"] == ["effort"]
    assert trajectory["state_interfaces"] == ["position", "velocity"]
    assert trajectory["set_last_command_interface_value_as_state_on_activation"] is False
    assert trajectory["constraints"]["goal_time"] <= 0.5
    for joint in profile.joint_names:
        assert trajectory["constraints"][joint]["goal"] < trajectory["constraints"][joint]["trajectory"]


def test_every_controller_that_is_loaded_has_a_type():
    fr3, panda = (profile_of(robot) for robot in ROBOTS)
    own = controllers(fr3.driver.controllers)
    types = {name: own[name]["type"] for name in (*fr3.driver.activate, *fr3.driver.configure)}
    assert types == {
        "fr3_arm_controller": "joint_trajectory_controller/JointTrajectoryController",
        "cartesian_impedance_controller": "crisp_controllers/CartesianController",
    }
    known = controllers(panda.driver.controllers)["controller_manager"]
    spawned = {panda.trajectory_controller, panda.impedance_controller, *panda.driver.activate}
    assert spawned <= known.keys()
    assert known[panda.impedance_controller] == {"type": types["cartesian_impedance_controller"]}
    # Any other instance of it would listen to target_pose too.
    assert list(known.values()).count(known[panda.impedance_controller]) == 1


def test_the_panda_s_pose_and_wrench_have_one_publisher_with_the_profile_s_names():
    profile = profile_of("panda")
    content = controllers(profile.driver.controllers)
    state = content["state_broadcaster"]
    assert state["pose"] == {"topic": profile.pose_topic, "publish_frequency": profile.measured_rate_hz}
    external = state["wrench"]["external"]
    assert (external["topic"], external["publish_frequency"]) == (profile.wrench_topic, profile.measured_rate_hz)
    assert external["reference_frame"] == "local_world_aligned"
    assert (state["base_frame"], state["end_effector_frame"]) == (profile.frames.base, profile.frames.tool)
    assert state["joint_states"]["topic"] not in (profile.joint_state_topic, "joint_states", "franka/joint_states")
    assert "pose_broadcaster" not in content["controller_manager"]


def test_mock_hardware_follows_positions():
    driver = profile_of("fr3").driver
    content = controllers(driver.fake_controllers)
    assert content.keys() == set(driver.activate)
    assert all(part["command_interfaces"] == ["position"] for part in content.values())


def test_moveit_executes_on_a_panda_through_its_trajectory_controller():
    profile = profile_of("panda")
    file = config_file("controllers", "panda").parents[1] / "moveit" / "panda_controllers.yaml"
    content = strict_yaml.read(file)["moveit_simple_controller_manager"]
    assert content["controller_names"] == [profile.trajectory_controller]
    executor = content[profile.trajectory_controller]
    assert f"{profile.trajectory_controller}/{executor['action_ns']}" == profile.follow_joint_trajectory
    assert tuple(executor["joints"]) == profile.joint_names
