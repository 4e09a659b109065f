"""All mistakes of a task file at once, each with its file, key and numbers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery_sim.authoring.drawing import draw
from refinery_sim.authoring.examination import examine
from refinery_sim.cli.check import Args, check_task
from refinery_sim.cli.task import New, write_new

MISTAKES = {
    "negative clearance": ("socket: {clearance_m: -0.0003}", "socket.clearance_m", ("(0, 0.005] m", "-0.0003")),
    "section larger than the plate": (
        "plug: {section: {family: rectangle, size_m: [0.13, 0.008]}}",
        "socket.plate_half_size_m",
        ("0.13 x 0.008 m", ">= 0.0715 m", "0.06"),
    ),
    "unknown key": ("socket: {chamfre_m: 0.001}", "socket.chamfre_m", ("did you mean 'chamfer_m'",)),
    "unreachable socket": (
        "socket: {nominal_xyz_m: [0.9, 0.0, 0.1]}",
        "socket.nominal_xyz_m",
        (
            "of 117: 9 out of reach by up to",
            "fr3_joint4",
            "upper limit of -0.152 rad",
            "socket at (0.900, 0.000, 0.100)",
        ),
    ),
    "trained box outside the deployed one": (
        "initial_state: {trained_in: {yaw: [-1.2, 1.2]}}",
        "initial_state.deployed_in.yaw",
        ("(-1.2, 1.2)", "(-1.0, 1.0)"),
    ),
}


@pytest.fixture(scope="module")
def fr3():
    return load_robot_profile("fr3")


def written(folder: Path, text: str) -> Path:
    file = folder / "mine.yaml"
    file.write_text(f"extends: {config_file('tasks', 'peg_rect')}\n{text}\n")
    return file


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_file_key_and_numbers(name, tmp_path, fr3):
    text, key, words = MISTAKES[name]
    file = written(tmp_path, text)
    found = examine(file, fr3)
    # So large a section starts in the plate, too.
    more = ["initial_state.deployed_in.z"] if name == "section larger than the plate" else []
    assert [mistake.key for mistake in found.mistakes] == [key, *more] and not found.ok
    said = str(found.mistakes[0])
    assert all(word in said for word in words), said
    assert str(file) in said


@pytest.mark.parametrize("value", [1e-9, 0.3])
@pytest.mark.parametrize(
    "key", ["plug.section", "plug.length_m", "plug.chamfer_m", "socket.depth_m", "socket.chamfer_m"]
)
def test_a_length_that_makes_no_shape_is_told_with_its_file(key, value, tmp_path, fr3):
    part, name = key.split(".")
    given = f"{{family: rectangle, size_m: [{value:.1e}, 0.008]}}" if name == "section" else f"{value:.1e}"
    file = written(tmp_path, f"{part}: {{{name}: {given}}}")
    found = examine(file, fr3)
    assert value == 1e-9 or any(mistake.key.startswith(key) for mistake in found.mistakes), found.mistakes
    assert all(str(file) in str(mistake) for mistake in found.mistakes)


def test_all_mistakes_are_told_at_once(tmp_path, fr3):
    lines = [
        "plug: {section: {family: rectangle, size_m: [0.13, 0.008]}, mass_kg: 5}",
        "socket: {clearance_m: -0.0003, chamfre_m: 0.001, nominal_xyz_m: [0.9, 0.0, 0.1]}",
        "initial_state: {trained_in: {yaw: [-1.2, 1.2]}}",
    ]
    found = examine(written(tmp_path, "\n".join(lines)), fr3)
    assert {mistake.key for mistake in found.mistakes} == {key for _, key, _ in MISTAKES.values()} | {"plug.mass_kg"}
    assert len(found.mistakes) == 6


def test_millimetres_are_recognised(tmp_path, fr3):
    found = examine(written(tmp_path, "socket: {depth_m: 25}"), fr3)
    assert [m.key for m in found.mistakes] == ["socket.depth_m"]
    assert "25 mm is 0.025" in str(found.mistakes[0])


def test_what_the_robot_cannot_do_is_told(tmp_path, fr3):
    found = examine(written(tmp_path, "control: {stiffness: [2000.0, 600.0, 600.0, 30.0, 30.0, 30.0]}"), fr3)
    assert not found.mistakes and not found.ok
    assert any("control.stiffness x: expected at most 900" in misfit for misfit in found.misfits)


def test_a_start_inside_the_plate_is_told(tmp_path, fr3):
    found = examine(
        written(tmp_path, "initial_state: {trained_in: {z: [0.026, 0.026]}, deployed_in: {z: [0.026, 0.026]}}"), fr3
    )
    assert [m.key for m in found.mistakes] == ["initial_state.deployed_in.z"]
    # Half of 12 x 8 mm, tilted by 0.35 rad both ways.
    assert found.mistakes[0].got == 0.026 and "0.02" in found.mistakes[0].expected


@pytest.mark.parametrize("file", sorted(config_file("tasks", "peg_rect").parent.glob("*.yaml")), ids=lambda f: f.stem)
def test_the_shipped_tasks_have_no_mistakes(file, fr3):
    found = examine(file, fr3)
    assert found.ok, [*found.mistakes, *found.misfits]
    facts = dict(found.facts)
    assert facts["clearance"].startswith(f"{1e3 * found.task.socket.clearance_m:.3g} mm per side")


def test_a_new_part_from_flags_has_no_mistakes_and_at_most_20_lines(tmp_path, fr3, capsys):
    args = New(
        name="usb_a",
        section="rectangle",
        size_mm=(12.0, 4.5),
        clearance_mm=0.3,
        depth_mm=12.0,
        chamfer_mm=0.4,
        out=tmp_path / "usb_a.yaml",
    )
    file = write_new(args)
    assert len(file.read_text().splitlines()) <= 20
    assert check_task(Args(task=str(file), drawing=tmp_path / "usb_a.svg")) == 0
    assert "0.3 mm per side" in capsys.readouterr().out
    assert (tmp_path / "usb_a.svg").read_text().startswith("<svg")
    task = examine(file, fr3).task
    assert task.plug.section.size_m == (0.012, 0.0045) and task.socket.chamfer_m == 0.0004


def test_the_drawing_shows_a_task_with_mistakes_too(tmp_path, fr3):
    found = examine(written(tmp_path, "socket: {clearance_m: -0.0003}"), fr3)
    assert "Section in its hole" in draw(found.task)


def test_check_loads_neither_torch_nor_mujoco_nor_ros(tmp_path):
    code = (
        "import sys; from refinery_sim.cli.check import Args, check_task; "
        f"check_task(Args(task='peg_rect', drawing=__import__('pathlib').Path({str(tmp_path / 'd.svg')!r}))); "
        "print(sorted({'torch', 'mujoco', 'rclpy', 'matplotlib', 'onnxruntime'} & set(sys.modules)))"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env, timeout=240)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
