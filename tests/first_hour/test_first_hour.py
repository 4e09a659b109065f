"""A user's first hour by the commands alone (``make first-hour``): a part of one's own, from measures to a report.

The trainings are as short as they can be; how good their policy is is not what is looked at here.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import trimesh

from layering.sources import ROOT
from refinery.bundle import load_bundle
from refinery.task import load_task
from refinery_ros.testing.graph import own_domain

PATIENCE_S = 900.0
PART = ("--name", "usb_a", "--section", "rectangle", "--size-mm", "12", "4.5", "--clearance-mm", "0.3")
PART += ("--depth-mm", "12", "--chamfer-mm", "0.4")
Refinery = Callable[..., SimpleNamespace]

pytestmark = [pytest.mark.ros, pytest.mark.timeout(3 * PATIENCE_S)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the user works: not the repository, which stays as it is."""
    before = changes()
    with own_domain():
        yield tmp_path_factory.mktemp("hour")
    assert changes() == before


def changes() -> str:
    return subprocess.run(["git", "status", "--porcelain"], cwd=ROOT, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def refinery(folder: Path) -> Refinery:
    """Runs ``refinery`` as it is typed, and returns its status and all that it said."""

    def run(*words: str | Path, status: int | None = 0) -> SimpleNamespace:
        done = subprocess.run(
            [ROOT / "tools/env", "refinery", *map(str, words)],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert status in (None, done.returncode), done.stdout
        return SimpleNamespace(said=done.stdout)

    return run


@pytest.fixture(scope="module")
def task_file(refinery: Refinery, folder: Path) -> Path:
    refinery("task", "new", *PART)
    return folder / "usb_a.yaml"


def test_a_part_is_twenty_lines_and_is_checked_and_drawn(refinery: Refinery, task_file: Path, folder: Path) -> None:
    assert len(task_file.read_text().splitlines()) <= 20
    said = refinery("check", task_file.name, "--robot", "fr3").said
    assert "0.3 mm per side" in said and "fr3 reaches" in said
    assert (folder / "runs/check/usb_a.svg").read_text().startswith("<")


def test_a_part_from_two_meshes_is_the_same(refinery: Refinery, task_file: Path, folder: Path) -> None:
    plug = trimesh.creation.box(bounds=[[-6, -2.25, 0], [6, 2.25, 50]])
    plate = trimesh.creation.box(bounds=[[-40, -40, -10], [40, 40, 12]])
    hole = trimesh.creation.box(bounds=[[-6.3, -2.55, 0], [6.3, 2.55, 20]])
    plug.export(folder / "plug.stl")
    trimesh.boolean.difference([plate, hole], engine="manifold").export(folder / "socket.stl")
    refinery("task", "from-cad", "plug.stl", "socket.stl", "--unit", "mm", "--name", "from_cad")
    refinery("check", "from_cad.yaml", "--robot", "fr3")
    measured, typed = load_task(folder / "from_cad.yaml"), load_task(task_file)
    assert measured.plug.section.size_m == pytest.approx(typed.plug.section.size_m, abs=1e-5)
    assert measured.socket.clearance_m == pytest.approx(typed.socket.clearance_m, abs=1e-5)
    assert measured.socket.depth_m == pytest.approx(typed.socket.depth_m, abs=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("clearance_m: 0.0003", "clearance_m: -0.0003", ("socket.clearance_m", "-0.0003")),
        ("size_m: [0.012, 0.0045]", "size_m: [0.13, 0.0045]", ("socket.plate_half_size_m", "0.13")),
        ("depth_m:", "dept_m:", ("dept_m",)),
        ("socket:", "socket:\n  nominal_xyz_m: [1.5, 0.0, 0.1]", ("socket.nominal_xyz_m", "1.5")),
        ("trained_in: {x: [-0.01, 0.01]", "trained_in: {x: [-0.02, 0.01]", ("initial_state.deployed_in.x", "-0.02")),
    ],
    ids=["negative clearance", "larger than the plate", "unknown key", "out of reach", "boxes"],
)
def test_a_mistake_is_told_with_file_key_and_numbers(
    refinery: Refinery, task_file: Path, folder: Path, old: str, new: str, told: tuple[str, ...]
) -> None:
    text = task_file.read_text()
    assert old in text
    (folder / "mistaken.yaml").write_text(text.replace(old, new, 1))
    said = refinery("check", "mistaken.yaml", "--robot", "fr3", status=1).said
    for word in ("mistaken.yaml", *told):
        assert word in said


@pytest.fixture(scope="module")
def run(refinery: Refinery, task_file: Path, folder: Path) -> Path:
    """Folder of a smoke refinement of the part's own base policy."""
    short = ("--spec.env-steps", "0", "--spec.imitation.rounds", "2", "--test-episodes", "16")
    refinery("run", "refinery_sim_train", "train_base", "--task", task_file.name, *short)
    refinery("run", "refinery_sim_train", "refine", "--task", task_file.name, "--preset", "smoke")
    return folder / "runs/usb_a_smoke_0"


def test_the_run_has_a_bundle_and_a_page(run: Path) -> None:
    assert load_bundle(run / "bundle").task.name == "usb_a"
    assert "Refinery report: usb_a" in (run / "report.html").read_text()


@pytest.fixture(scope="module")
def cell(run: Path, folder: Path) -> Iterator[None]:
    """The part's cell on the twin, as the user brings it up."""
    words = ("up", "--robot", "twin", "--bundle", run / "bundle", "--set", "refinery_policy.record_dir=records")
    with (folder / "up.log").open("w") as log:
        nodes = subprocess.Popen([ROOT / "tools/env", "refinery", *words], cwd=folder, stdout=log, stderr=log)
        try:
            yield
            assert nodes.poll() is None, (folder / "up.log").read_text()
        finally:
            nodes.send_signal(signal.SIGINT)
            nodes.wait(60)


def test_it_is_placed_inserted_explained_and_reported(refinery: Refinery, cell: None, run: Path, folder: Path) -> None:
    assert "predicted success" in refinery("place", "--wait-s", "180").said
    said = refinery("insert", "--trial-id", "1", status=None).said
    assert "depth" in said and "steps in" in said
    refinery("trial", "--count", "1", "--start", "sampled", "--out", "trials.json")
    recorded = sorted((folder / "records").glob("*.npz"))
    assert len(recorded) == 2
    refinery("explain", recorded[0])
    assert recorded[0].with_suffix(".html").read_text().count("data:image/png;base64,") == 4
    refinery("report", "--run", run, "--records", "trials.json")
    assert "through the nodes" in (run / "report.html").read_text()
