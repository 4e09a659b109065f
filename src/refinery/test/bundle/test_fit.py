"""A policy runs on a robot that can do what it was trained to ask for, and on no other."""

from __future__ import annotations

import dataclasses
import re
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
from refinery.trained_with import TrainedWith

ROBOTS = ("twin", "fr3", "panda")
TASKS = sorted(path.stem for path in config_file("tasks", "peg_rect").parent.glob("*.yaml"))


@pytest.fixture(scope="module")
def bundle(good_bundle: Path) -> Bundle:
    return load_bundle(good_bundle)


def asking(bundle: Bundle, part: str, **changes: Any) -> Bundle:
    """The bundle of a task that asks for something else."""
    changed = dataclasses.replace(getattr(bundle.task, part), **changes)
    return trained_on(bundle, dataclasses.replace(bundle.task, **{part: changed}))


def trained_on(bundle: Bundle, task: Task) -> Bundle:
    """The bundle of another task, and trained on it."""
    return dataclasses.replace(bundle, task=task, trained_with=TrainedWith.of(task))


@pytest.mark.parametrize("robot", ROBOTS)
@pytest.mark.parametrize("name", TASKS)
def test_every_shipped_task_fits_every_shipped_robot(bundle: Bundle, name: str, robot: str) -> None:
    shipped = load_dataclass(config_file("tasks", name), Task)
    check_fit(trained_on(bundle, shipped), load_robot_profile(robot))


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
            "task.d_rot_y: expected 1.88 Nms/rad (2 x 0.7 x sqrt(30 x 0.06), ry), got 2.683; write it there",
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
    assert message.startswith(f"{bundle.path / 'manifest.json'} does not fit {config_file('robots', 'panda')}: ")
    assert message.endswith("or correct the profile if the robot can do more")


def test_the_twin_measures_as_often_as_its_section_says(bundle: Bundle) -> None:
    with pytest.raises(BundleError, match=r"at most 250 Hz \(twin\.state_rate_hz\), got 300 Hz"):
        check_fit(asking(bundle, "control", policy_rate_hz=300.0), load_robot_profile("twin"))


def test_what_a_profile_does_not_say_is_not_checked(bundle: Bundle) -> None:
    profile = load_robot_profile("fr3")
    vague = dataclasses.replace(profile, state_rate_hz=None, driver=None)
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


SOFT = (300.0, 300.0, 300.0, 15.0, 15.0, 15.0)


def with_controllers(profile: RobotProfile, file: Path) -> RobotProfile:
    """The robot whose controllers are loaded from another file."""
    assert profile.driver is not None
    return dataclasses.replace(profile, driver=dataclasses.replace(profile.driver, controllers=str(file)))


@pytest.mark.parametrize("robot", ["fr3", "panda"])
def test_half_the_stiffness_under_the_old_damping_names_the_lines_to_change_and_the_values(
    bundle: Bundle, robot: str, tmp_path: Path
) -> None:
    soft, profile = asking(bundle, "control", stiffness=SOFT), load_robot_profile(robot)
    with pytest.raises(BundleError) as caught:
        check_fit(soft, profile)
    asked = re.findall(r"(\S+\.yaml), line (\d+): task\.(d_\w+): expected ([\d.]+) ", str(caught.value))
    # 2 sqrt(300 x 4) and 2 sqrt(15 x 0.06); 98 would be a damping ratio of 1.41.
    turns = {f"d_rot_{axis}": "1.9" for axis in "xyz"}
    assert {key: value for _, _, key, value in asked} == {f"d_pos_{axis}": "69.3" for axis in "xyz"} | turns
    assert {file for file, *_ in asked} == {str(config_file("controllers", robot))}
    lines = config_file("controllers", robot).read_text().splitlines()
    for _, line, key, value in asked:
        indent, found, _ = lines[int(line) - 1].partition(key)
        assert found, f"line {line} is not that of {key}"
        lines[int(line) - 1] = f"{indent}{key}: {value}"
    (tmp_path / "soft.yaml").write_text("\n".join(lines))
    check_fit(soft, with_controllers(profile, tmp_path / "soft.yaml"))
    with pytest.raises(BundleError, match=r"task\.d_pos_x: expected 98\.0 Ns/m"):
        check_fit(bundle, with_controllers(profile, tmp_path / "soft.yaml"))


def test_other_gains_fit_only_if_somebody_accepted_them(bundle: Bundle) -> None:
    control = dataclasses.replace(bundle.task.control, stiffness=SOFT)
    soft = dataclasses.replace(bundle, task=dataclasses.replace(bundle.task, control=control))
    with pytest.raises(BundleError) as caught:
        check_fit(soft, load_robot_profile("twin"))
    assert "trained at 600 N/m, now 300 (control.stiffness x, y, z)" in str(caught.value)
    assert "trained at 30 Nm/rad, now 15 (control.stiffness rx, ry, rz)" in str(caught.value)
    accepted = dataclasses.replace(soft, metadata={**bundle.metadata, "other_gains_accepted": True})
    check_fit(accepted, load_robot_profile("twin"))


@given(share=st.floats(0.01, 3.0), axis=st.integers(0, 5))
def test_stiffness_fits_exactly_up_to_the_controllers_clamp(bundle: Bundle, share: float, axis: int) -> None:
    profile: RobotProfile = load_robot_profile("twin")
    stiffness = list(bundle.task.control.stiffness)
    stiffness[axis] = share * profile.impedance.max_stiffness[axis]
    asked = asking(bundle, "control", stiffness=tuple(stiffness))
    if stiffness[axis] <= profile.impedance.max_stiffness[axis]:
        check_fit(asked, profile)
    else:
        with pytest.raises(BundleError, match=r"control\.stiffness"):
            check_fit(asked, profile)
