"""Task files written from measures."""

import numpy as np
import pytest

from refinery.errors import ConfigError, RefineryError
from refinery.section import SectionSpec
from refinery_sim.authoring.new_task import NewPart, task_text
from refinery_sim.cli.task import New, asked, write_new
from refinery_sim.task import load_task


def part(**changes) -> NewPart:
    section = SectionSpec(family="rectangle", size_m=(0.012, 0.0045))
    return NewPart(**{"name": "usb_a", "section": section, "clearance_m": 0.0003, "depth_m": 0.012} | changes)


def test_what_is_written_is_what_is_read(tmp_path):
    (tmp_path / "usb_a.yaml").write_text(task_text(part(chamfer_m=0.0004), tmp_path))
    task = load_task(tmp_path / "usb_a.yaml")
    assert (task.name, task.socket.clearance_m, task.socket.depth_m, task.socket.chamfer_m) == (
        *("usb_a", 0.0003, 0.012),
        0.0004,
    )
    assert task.plug.grasp_xyz_m[2] == pytest.approx(0.038)
    assert task.initial_state.deployed.high[5] == 0.6 and task.initial_state.trained.high[5] == 0.25


def test_free_polygons_keep_their_corners(tmp_path):
    ring = ((-0.004, -0.003), (0.005, -0.003), (0.0, 0.006))
    section = SectionSpec(family="polygon", rings_m=(ring,))
    (tmp_path / "usb_a.yaml").write_text(task_text(part(section=section), tmp_path))
    assert load_task(tmp_path / "usb_a.yaml").plug.section == section


def test_the_tip_starts_above_the_plate_at_the_widest_tilt():
    wide = part(tilt_rad=(0.1, 1.0), section=SectionSpec(family="square", size_m=(0.06,)))
    reach = np.hypot(0.03, 0.03) * np.sin(1.0)
    assert wide.start_height_m - wide.depth_m > reach
    assert part().start_height_m == pytest.approx(0.022)


def test_everything_that_is_missing_is_named_at_once():
    with pytest.raises(ConfigError) as told:
        write_new(New(name="usb_a"))
    assert all(flag in str(told.value) for flag in ("--section", "--size-mm", "--clearance-mm", "--depth-mm"))


def test_on_a_terminal_the_missing_is_asked_for():
    answers = {"section": "rectangle", "x [mm]": "12", "y [mm]": "4.5", "clearance [mm]": "0.3", "depth [mm]": "12"}
    done = asked(New(name="usb_a"), lambda question: answers[question.split(" (")[0].removesuffix(": ")])
    assert (done.size_mm, done.clearance_mm, done.depth_mm) == ((12.0, 4.5), 0.3, 12.0)


def test_a_file_is_never_overwritten(tmp_path):
    args = New(name="a", section="round", size_mm=(8.0,), clearance_mm=0.2, depth_mm=10.0, out=tmp_path / "a.yaml")
    write_new(args)
    with pytest.raises(RefineryError, match="there is a file already"):
        write_new(args)
