"""What a controllers' file says of damping, read as the controller reads it."""

import dataclasses
import math

import pytest

from refinery.controller_gains import configured_damping
from refinery.errors import ConfigError
from refinery.robot_profile import load_robot_profile

FR3 = load_robot_profile("fr3")
NESTED = """\
/**:
  cartesian_impedance_controller:
    ros__parameters:
      task:
        k_pos_x: 400.0
        d_pos_y: 50.0
"""
FLAT = """\
cartesian_impedance_controller:
  ros__parameters:
    task.k_pos_x: 400.0
    task.d_pos_y: 50.0
    task.d_rot_z: -1.0
"""


def damping(text, tmp_path):
    file = tmp_path / "mine.yaml"
    file.write_text(text)
    return configured_damping(dataclasses.replace(FR3, driver=dataclasses.replace(FR3.driver, controllers=str(file))))


@pytest.mark.parametrize(("text", "line"), [(NESTED, 6), (FLAT, 4)])
def test_what_is_not_given_is_what_crisp_takes(text, line, tmp_path):
    gains = damping(text, tmp_path)
    springs = (400.0, None, 500.0, 30.0, 30.0, 30.0)
    for gain, spring in zip(gains, springs, strict=True):
        assert gain.value == (50.0 if spring is None else 2 * math.sqrt(spring))
    assert gains[1].where == f"{tmp_path / 'mine.yaml'}, line {line}: task.d_pos_y"
    assert gains[0].where == f"{tmp_path / 'mine.yaml'}: task.d_pos_x" and "task.k_pos_x" in gains[0].note


@pytest.mark.parametrize("value", ["50", "'50.0'", "fifty", ".inf", ".nan", "[50.0]"])
def test_what_the_controller_would_not_take_is_refused(value, tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.yaml.*task\.d_pos_y: expected a .*number") as refused:
        damping(NESTED.replace("50.0", value), tmp_path)
    assert "line 6" in str(refused.value)


@pytest.mark.parametrize("text", ["", "a: [", "/**: {other: {ros__parameters: {task.d_pos_x: 1.0}}}", "\x00"])
def test_a_file_of_something_else_is_named(text, tmp_path):
    with pytest.raises(ConfigError, match=r"mine\.yaml"):
        damping(text, tmp_path)


def test_without_a_file_the_profile_says_it_or_nobody():
    by_hand = dataclasses.replace(FR3, driver=None)
    assert configured_damping(by_hand) is None
    told = dataclasses.replace(by_hand.impedance, damping=(1.0, 2.0, 3.0, 4.0, 5.0, 6.0))
    gains = configured_damping(dataclasses.replace(by_hand, impedance=told))
    assert tuple(gain.value for gain in gains) == told.damping
    assert gains[0].where.endswith("impedance.damping")
    with pytest.raises(ConfigError, match=r"impedance\.damping: expected nothing beside driver\.controllers"):
        dataclasses.replace(FR3, impedance=told)
