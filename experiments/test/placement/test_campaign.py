"""A few placements of the campaign, and proof that it would notice one that is not as promised."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from experiments.placement.assessment import Assessment, assess
from experiments.placement.campaign import Campaign, drawn, tasks
from experiments.placement.placement_bench import Placed, running
from refinery.initial_state import GRASP
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.task import load_task
from refinery_msgs.msg import Outcome
from refinery_twin.trial import draw_trial

TASK = "l_bracket"
SEED = 931_000
"""Of cells that the campaign does not use."""

pytestmark = pytest.mark.ros


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Placed, Assessment]]:
    """Placements in the task whose part is held differently each time."""
    with running(TASK, tmp_path_factory.mktemp("placement"), factor=3.0) as bench:
        found = []
        for i, mode in enumerate(("uniform", "sample", "uniform")):
            seen = bench.place(mode, SEED + i)
            found.append((seen, assess(bench.task, mode, SEED + i, seen)))
        return found


def test_placements_are_sound(placed: list[tuple[Placed, Assessment]]) -> None:
    for _, assessment in placed:
        assert assessment.sound, assessment
        assert assessment.states > 50
    assert any(seen.result.outcome.value == Outcome.SUCCESS and seen.grasp.any() for seen, _ in placed)


def test_the_part_is_where_the_sample_says(placed: list[tuple[Placed, Assessment]]) -> None:
    for seen, _ in placed:
        if seen.result.outcome.value == Outcome.SUCCESS:
            assert list(seen.grasp[0]) == list(seen.result.theta[GRASP])


def test_an_arm_elsewhere_or_in_contact_is_noticed(placed: list[tuple[Placed, Assessment]]) -> None:
    task, kinematics = load_task(config_file("tasks", TASK)), load_robot_profile("twin").arm_kinematics()
    index = next(i for i, (seen, _) in enumerate(placed) if seen.result.outcome.value == Outcome.SUCCESS)
    seen, mode, seed = placed[index][0], "uniform", SEED + index
    away = dataclasses.replace(seen, joints_rad=seen.joints_rad + 0.002)
    assessment = assess(task, mode, seed, away)
    assert assessment.error_mm is not None and assessment.error_mm > 1.0 and not assessment.sound
    socket = draw_trial(task, seed).socket
    inside = Poses(pos_m=socket.pos_m, quat_xyzw=kinematics.forward(seen.joints_rad[-1]).quat_xyzw)
    joints, reached = kinematics.inverse(inside, seen.joints_rad[-1])
    assert reached.all()
    assessment = assess(task, mode, seed, dataclasses.replace(seen, joints_rad=np.vstack([seen.joints_rad, joints])))
    assert any("socket" in pair for pair in assessment.contacts) and not assessment.sound
    assert not dataclasses.replace(placed[index][1], part_force_n=0.5).sound
    assert not dataclasses.replace(placed[index][1], outcome="refused").sound, "refused, but it moved"
    assert not dataclasses.replace(placed[index][1], outcome="failed").sound


def test_the_campaign_is_spread_over_tasks_and_modes() -> None:
    plan = list(drawn(1000, 0))
    assert len(plan) == 1000 and len({(name, seed) for name, _, seed in plan}) == 1000
    for name in tasks():
        modes = [mode for task, mode, _ in plan if task == name]
        assert len(modes) >= 1000 // len(tasks()) and abs(modes.count("uniform") - modes.count("sample")) <= 1


def test_a_campaign_goes_on_where_it_was(placed: list[tuple[Placed, Assessment]], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    first = Campaign(1, 0, 1.0, log)
    name, mode, seed = next(drawn(1, 0))
    first._note(dataclasses.replace(placed[0][1], task=name, mode=mode, seed=seed), placed[0][0])
    again = Campaign(1, 0, 1.0, log)
    again.run()
    assert again.assessments == first.assessments and again.results()["placements"] == 1
