"""A policy runs on a robot that can do what it was trained to ask for, and on no other."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.bundle import Bundle, check_fit, load_bundle
from refinery.config import load_dataclass
from refinery.errors import BundleError
from refinery.paths import config_file
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.task import Task

ROBOTS = ("twin", "fr3", "panda")
TASKS = sorted(path.stem for path in config_file("tasks", "peg_rect").parent.glob("*.yaml"))


@pytest.fixture(scope="module")
def bundle(good_bundle: Path) -> Bundle:
    return load_bundle(good_bundle)


def asking(bundle: Bundle, part: str, **changes: Any) -> Bundle:
    """The bundle of a task that asks for something else."""
    changed = dataclasses.replace(getattr(bundle.task, part), **changes)
    return dataclasses.replace(bundle, task=dataclasses.replace(bundle.task, **{part: changed}))


@pytest.mark.parametrize("robot", ROBOTS)
@pytest.mark.parametrize("name", TASKS)
def test_every_shipped_task_fits_every_shipped_robot(bundle: Bundle, name: str, robot: str) -> None:
    shipped = load_dataclass(config_file("tasks", name), Task)
    check_fit(dataclasses.replace(bundle, task=shipped), load_robot_profile(robot))


@pytest.mark.parametrize(
    ("part", "changes", "sentence"),
    [
        (
            "control",
            {"policy_rate_hz": 600.0},
            "task control.policy_rate_hz: expected at most 500 Hz (state_rate_hz), got 600 Hz",
        ),
        (
            "control",
            {"stiffness": (1200.0, 600.0, 600.0, 30.0, 30.0, 70.0)},
            "task control.stiffness x: expected at most 900 N/m (impedance.max_stiffness), got 1200 N/m; "
            "task control.stiffness rz: expected at most 60 Nm/rad (impedance.max_stiffness), got 70 Nm/rad",
        ),
        (
            "control",
            {"max_error": (0.01, 0.01, 0.12, 0.1, 0.1, 0.1)},
            "task control.max_error z: expected at most 0.1 m (impedance.error_clip), got 0.12 m",
        ),
        (
            "control",
            {"damping_ratio": 0.7},
            "task control.damping_ratio: expected 1 (impedance.damping_ratio), got 0.7",
        ),
        (
            "control",
            {"stiffness": (600.0, 600.0, 600.0, 30.0, 30.0, 50.0), "max_error": (0.01, 0.01, 0.01, 0.1, 0.1, 0.3)},
            "task control.stiffness x max_error rz: expected at most 12 Nm (limits.tool_wrench), got 15 Nm",
        ),
        (
            "limits",
            {"max_wrench": (40.0, 40.0, 140.0, 8.0, 8.0, 8.0)},
            "task limits.max_wrench z: expected at most 100 N (limits.tool_wrench), got 140 N",
        ),
    ],
)
def test_a_misfit_names_both_files_what_was_expected_and_what_came(
    bundle: Bundle, part: str, changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(BundleError) as caught:
        check_fit(asking(bundle, part, **changes), load_robot_profile("panda"))
    message = str(caught.value)
    assert sentence in message
    assert message.startswith(f"{bundle.path / 'manifest.json'} does not fit {config_file('robots', 'panda')}: task")
    assert message.endswith("or correct the profile if the robot can do more")


def test_the_twin_measures_as_often_as_its_section_says(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"at most 250 Hz \(twin\.state_rate_hz\), got 300 Hz"):
        check_fit(asking(bundle, "control", policy_rate_hz=300.0), load_robot_profile("twin"))


def test_what_a_profile_does_not_say_is_not_checked(bundle: Bundle) -> None:
    profile = load_robot_profile("fr3")
    impedance = dataclasses.replace(profile.impedance, damping_ratio=None)
    vague = dataclasses.replace(profile, state_rate_hz=None, impedance=impedance)
    check_fit(asking(bundle, "control", policy_rate_hz=1000.0, damping_ratio=0.5), vague)


def test_a_slow_robot_is_named_without_a_file(bundle: Bundle) -> None:
    profile = load_robot_profile("panda")
    slow = dataclasses.replace(profile, limits=dataclasses.replace(profile.limits, tool_speed_m_s=0.1))
    expected = r"robot profile 'panda': .*: expected at most 0\.1 m/s \(limits\.tool_speed_m_s\), got 0\.25"
    with pytest.raises(BundleError, match=expected):
        check_fit(bundle, slow)


def test_frames_count_only_for_a_policy_that_names_them(bundle: Bundle) -> None:
    profile = load_robot_profile("fr3")

    def tied(**frames: str) -> Bundle:
        return dataclasses.replace(bundle, metadata={**bundle.metadata, "frames": frames})

    check_fit(tied(), profile)
    check_fit(tied(base="base", tool="fr3_hand_tcp"), profile)
    expected = r"policy\.onnx: frames\.tool: expected 'fr3_hand_tcp' \(frames\.tool\), got 'gripper'"
    with pytest.raises(BundleError, match=expected):
        check_fit(tied(base="base", tool="gripper"), profile)


@given(share=st.floats(0.01, 3.0), axis=st.integers(0, 5))
def test_stiffness_fits_exactly_up_to_the_controllers_clamp(bundle: Bundle, share: float, axis: int) -> None:
    profile: RobotProfile = load_robot_profile("fr3")
    stiffness = list(bundle.task.control.stiffness)
    stiffness[axis] = share * profile.impedance.max_stiffness[axis]
    asked = asking(bundle, "control", stiffness=tuple(stiffness))
    if stiffness[axis] <= profile.impedance.max_stiffness[axis]:
        check_fit(asked, profile)
    else:
        with pytest.raises(BundleError, match=r"control\.stiffness"):
            check_fit(asked, profile)
