from types import SimpleNamespace

from refinery.cli.sample import _table
from refinery.initial_state import THETA_NAMES


def response(*rows):
    return SimpleNamespace(
        theta_names=list(THETA_NAMES),
        theta=[value for row in rows for value in row],
        success_probability=[0.9] * len(rows),
        success_low=[0.8] * len(rows),
        success_high=[1.0] * len(rows),
        task="peg",
        seed_used=5,
        candidates=256,
        rejected=3,
    )


def test_what_varies_is_shown_in_its_unit():
    first, second = [0.001, 0, 0.035, 0, 0, 0.5, 0.002, 0, -0.1], [-0.002, 0, 0.035, 0, 0, 0, 0, 0, 0.1]
    titles, one, two, last = _table(response(first, second))
    for title in ("x [mm]", "z [mm]", "yaw [deg]", "grasp_x [mm]", "grasp_pitch [deg]", "predicted success"):
        assert title in titles
    assert "roll" not in titles and "grasp_z" not in titles
    assert one.split()[:5] == ["1.00", "35.00", "28.65", "2.00", "-5.73"]
    assert two.split()[:5] == ["-2.00", "35.00", "0.00", "0.00", "5.73"]
    assert titles.index("predicted") == one.index("90.0 %") == two.index("90.0 %")
    assert "seed 5" in last
