"""Parts measured from meshes that manifold3d makes."""

import pytest
import trimesh
from manifold3d import CrossSection, Manifold

from refinery.robot_profile import load_robot_profile
from refinery_sim.authoring.cad import CadError, measure, read_solid
from refinery_sim.authoring.examination import examine
from refinery_sim.cli.task import FromCad, write_from_cad


def box(x, y, low, high):
    """A box about the z axis, [mm]."""
    return Manifold.cube((x, y, high - low), False).translate((-x / 2, -y / 2, low))


def plate(chamfer=0.4):
    """A plate 12 mm thick with a hole of 12.6 x 5.1 mm, its bottom closed."""
    mouth = Manifold.extrude(
        CrossSection.square((12.6, 5.1), True), chamfer, 0, 0, ((12.6 + 2 * chamfer) / 12.6, (5.1 + 2 * chamfer) / 5.1)
    )
    solid = box(80, 80, -10, 12) - box(12.6, 5.1, 0, 20)
    return solid - mouth.translate((0, 0, 12 - chamfer)) if chamfer else solid


def stl(folder, name, solid):
    mesh = solid.to_mesh()
    path = folder / f"{name}.stl"
    trimesh.Trimesh(mesh.vert_properties[:, :3], mesh.tri_verts, process=False).export(path)
    return path


@pytest.fixture
def found(tmp_path):
    """Measure two solids by way of their files, as a user's."""

    def make(plug, socket, **options):
        solids = (read_solid(stl(tmp_path, name, solid), "mm", "z") for name, solid in (("p", plug), ("s", socket)))
        return measure(*solids, **options)

    return make


@pytest.mark.parametrize("chamfer", [0.0, 0.4])
def test_a_plug_in_a_plate_is_measured_exactly(found, chamfer):
    part = found(box(12, 4.5, 0, 50).translate((3, 0, 0)), plate(chamfer).translate((3, 0, 0)))
    assert part.section.family == "rectangle" and part.section.size_m == pytest.approx((0.012, 0.0045), abs=1e-6)
    assert part.clearance_m == pytest.approx(0.0003, abs=1e-6)
    assert part.depth_m == pytest.approx(0.012, abs=1e-6)
    assert part.chamfer_m == pytest.approx(chamfer / 1e3, abs=2e-6)
    assert part.length_m == pytest.approx(0.05, abs=1e-6)
    assert "axis at x = 3, y = 0 mm" in " ".join(part.notes)


@pytest.mark.parametrize("facets", [24, 64])
def test_circles_are_fitted_through_the_corners(found, facets):
    part = found(
        Manifold.cylinder(30, 4, 4, facets), box(60, 60, -10, 15) - Manifold.cylinder(40, 4.2, 4.2, 3 * facets // 2)
    )
    assert part.section.family == "round" and part.section.size_m[0] == pytest.approx(0.008, abs=1e-6)
    # Of the facets the gap is smaller by the sagitta, 34 um with 24 of them.
    assert part.clearance_m == pytest.approx(0.0002, abs=2e-6)


def test_two_prongs_become_polygons(found):
    prong, hole = box(5, 8, 0, 40), box(5.8, 8.8, 0, 30)
    plug = prong.translate((-7, 0, 0)) + prong.translate((7, 0, 0))
    socket = box(80, 80, -10, 20) - hole.translate((-7, 0, 0)) - hole.translate((7, 0, 0))
    part = found(plug, socket)
    assert len(part.section.rings_m) == 2 and part.clearance_m == pytest.approx(0.0004, abs=1e-6)


REFUSED = {
    "a step": (
        lambda: (box(12, 4.5, 0, 8) + box(11, 4.5, 8, 50), plate()),
        ("not prismatic: ", "over the tip", "differs by 0.5 mm"),
    ),
    "too wide": (lambda: (box(13, 4.5, 0, 50), plate()), ("overlap by",)),
    "far away": (lambda: (box(12, 4.5, 60, 99), plate()), ("is in no hole",)),
    "off the middle": (
        lambda: (box(12, 4.5, 0, 50).translate((0.2, 0, 0)), plate()),
        ("one clearance all around", "0.1 mm per side"),
    ),
    "a lead-in": (
        lambda: (box(11.8, 4.5, 0, 4) + box(12, 4.5, 4, 50), plate(0.0)),
        ("not prismatic: ", "differs by 0.1 mm"),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_makes_no_task_is_refused_with_place_and_size(found, name):
    make, words = REFUSED[name]
    with pytest.raises(CadError) as told:
        found(*make())
    assert all(word in str(told.value) for word in words), str(told.value)


def test_a_plug_that_is_nearly_a_prism_is_approximated_if_asked(found):
    part = found(box(11.8, 4.4, 0, 4) + box(12, 4.5, 4, 50), plate(0.0), approximate=True)
    assert part.section.size_m == pytest.approx((0.012, 0.0045), abs=1e-6)
    assert "approximated by" in " ".join(part.notes)


def test_a_mesh_that_is_no_solid_is_refused(tmp_path):
    open_box = trimesh.creation.box((1, 1, 1))
    open_box.update_faces([True] * 11 + [False])
    open_box.export(tmp_path / "open.stl")
    with pytest.raises(CadError, match=r"open\.stl: expected a closed solid"):
        read_solid(tmp_path / "open.stl", "mm", "z")
    with pytest.raises(CadError, match="nothing there"):
        read_solid(tmp_path / "none.stl", "mm", "z")


def test_one_command_makes_a_task_file_without_mistakes(tmp_path, capsys):
    plug, socket = stl(tmp_path, "usb-a", box(12, 4.5, 0, 50)), stl(tmp_path, "plate", plate())
    file = write_from_cad(FromCad(plug=plug, socket=socket, unit="mm", out=tmp_path / "usb_a.yaml"))
    assert "plug 12 x 4.5 x 50 mm" in capsys.readouterr().out
    found = examine(file, load_robot_profile("fr3"))
    assert found.ok and found.task.name == "usb_a"
