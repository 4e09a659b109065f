"""A middleware that is named but not there is one line before ROS is imported; each that is there works."""

import os
import subprocess
import sys

import pytest

from refinery.bringup.middleware import VARIABLE, check_middleware, installed_middlewares
from refinery.errors import ConfigError
from refinery_ros.testing.graph import own_domain

MISSING = "rmw_of_nobody_cpp"


@pytest.fixture
def prefix(tmp_path):
    index = tmp_path / "share/ament_index/resource_index/rmw_typesupport"
    index.mkdir(parents=True)
    for name in ("rmw_fastrtps_cpp", "rmw_zenoh_cpp", "rmw_implementation"):
        (index / name).touch()
    return tmp_path


def test_what_is_installed_may_be_named_or_nothing(prefix):
    env = {"AMENT_PREFIX_PATH": os.pathsep.join(["/nowhere", str(prefix)])}
    assert installed_middlewares(env) == ["rmw_fastrtps_cpp", "rmw_zenoh_cpp"]
    for name in ("", "rmw_zenoh_cpp"):
        check_middleware({**env, VARIABLE: name})
    # Without ROS it is not ours to judge.
    check_middleware({VARIABLE: MISSING})


def test_what_is_missing_is_named_beside_what_is_there_and_how_to_get_it(prefix):
    env = {"AMENT_PREFIX_PATH": str(prefix), "ROS_DISTRO": "jazzy"}
    with pytest.raises(ConfigError) as raised:
        check_middleware({**env, VARIABLE: "rmw_cyclonedds_cpp"})
    text = str(raised.value)
    assert raised.value.key == VARIABLE
    assert "rmw_fastrtps_cpp, rmw_zenoh_cpp" in text and "apt install ros-jazzy-rmw-cyclonedds-cpp" in text
    with pytest.raises(ConfigError, match=r"did you mean rmw_fastrtps_cpp\?"):
        check_middleware({**env, VARIABLE: "rmw_fastrtp_cpp"})


@pytest.mark.parametrize(
    "words",
    [
        ("refinery.cli.main", "up", "--robot", "fr3", "--bundle", "/nowhere"),
        ("refinery.cli.main", "sample"),
        ("refinery_policy_node.node",),
        ("refinery_sampler_node.node",),
        ("refinery_twin.node",),
        ("refinery_twin.move_group.node",),
        ("refinery_twin.picture",),
    ],
)
def test_every_program_says_so_in_one_line(words):
    done = subprocess.run(
        [sys.executable, "-m", *words],
        env={**os.environ, VARIABLE: MISSING},
        capture_output=True,
        text=True,
        timeout=120,
    )
    (line,) = done.stderr.splitlines()
    assert MISSING in line and installed_middlewares(os.environ)[0] in line
    assert done.returncode in (1, 2) and not done.stdout


@pytest.mark.ros
@pytest.mark.parametrize("name", installed_middlewares(os.environ))
def test_each_that_is_installed_is_good_enough_to_ask_for_a_service(name):
    with own_domain():
        done = subprocess.run(
            [sys.executable, "-m", "refinery.cli.main", "sample", "--timeout-s", "1"],
            env={**os.environ, VARIABLE: name},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 2
    assert "no service /sample_init" in done.stderr


def test_there_is_a_middleware_to_test_with():
    assert installed_middlewares(os.environ)
