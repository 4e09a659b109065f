"""Assemblies without ROS: a two-part chain, its randomness, and what is counted."""

import dataclasses
import json

import numpy as np
import pytest

from experiments.assembly.policies import Condition, load_policies
from experiments.assembly.records import AssemblyRecord, StepRecord
from experiments.assembly.runner import AssemblyRunner
from experiments.assembly.summary import shown, summarize
from experiments.assembly.work import Work, run_all
from refinery.config import from_mapping, to_mapping
from refinery.errors import RefineryError
from refinery.robot_profile import load_robot_profile
from refinery.sequence.sequence import load_sequence
from refinery.storage import read_lines
from refinery.testing.bundles import servo_policy, tiny_bundle
from refinery_sim.part import part_geometry
from refinery_sim.task import named_task
from refinery_twin.assembly.cell import AssemblyCell

SEQUENCE = load_sequence("block_key")
STEP = StepRecord(
    step="block",
    seated=True,
    verified=True,
    attempts=1,
    stopped="",
    insertion_s=5.0,
    estimate_error_mm=0.2,
    carried_mm=0.0,
    height_mm=0.0,
    lateral_mm=0.2,
    angle_deg=0.1,
)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory):
    """Bundles whose policy drives the part straight to the seat, which is enough for most starts."""
    folder = tmp_path_factory.mktemp("bundles")
    for step in SEQUENCE.steps:
        task = named_task(step.task)
        tiny_bundle(folder / step.task, task, servo_policy(2.0), part=part_geometry(task))
    return folder


@pytest.fixture(scope="module")
def runner():
    return AssemblyRunner(SEQUENCE, load_robot_profile("twin"))


def test_a_chain_holds_carries_errors_over_and_repeats_whatever_ran_before(runner, bundles):
    policies = load_policies(SEQUENCE, Condition(name="servo", bundles=bundles))
    first = runner.assemble(policies, 1)
    assert first.finished and [step.step for step in first.steps] == ["block", "key"]
    block, key = first.steps
    assert block.carried_mm == pytest.approx(0.0, abs=1e-6)
    # What the block is off in its pocket, the key finds.
    assert 0.02 < key.carried_mm < 0.6 and key.carried_mm == pytest.approx(block.lateral_mm, abs=0.05)
    alone = runner.run_alone(1, policies["key"], 1)
    assert [step.step for step in alone.steps] == ["key"]
    assert alone.steps[0].carried_mm < 0.02 and alone.steps[0].estimate_error_mm < 0.02
    assert runner.assemble(policies, 1) == first
    assert from_mapping(json.loads(json.dumps(to_mapping(first))), AssemblyRecord, source="log") == first


def test_a_study_s_assembly_and_the_twin_s_of_one_seed_meet_the_same_cell(runner):
    profile = load_robot_profile("twin")
    tasks = {step.task: named_task(step.task) for step in SEQUENCE.steps}
    twin = AssemblyCell(SEQUENCE, tasks, profile, 11)
    runner._set_up(11)
    np.testing.assert_array_equal(runner._plant.base.pos_m, twin.plant.base.pos_m)
    np.testing.assert_array_equal(runner._base_estimate.pos_m, twin.trial.draw.estimate.pos_m)
    np.testing.assert_array_equal(runner._base_estimate.quat_xyzw, twin.trial.draw.estimate.quat_xyzw)
    # The twin's jaws leave of the tray's error what the study puts into the hand.
    block = twin.plant.parts["block"]
    joints, _ = profile.arm_kinematics().inverse(
        block.tray @ block.task.plug.tool_from_plug.inverse(), profile.home_rad
    )
    twin.plant.move_arm(joints[0])
    found = twin.plant.close(SEQUENCE.steps[0].grasp.held_m, (0.002, 0.002))
    np.testing.assert_allclose(found.grasp, runner._tray_grasp(0), atol=2e-5)
    assert abs(found.grasp[0, 0]) > 1e-5
    # And an attempt's estimates are off alike.
    twin.trial.hand_over(twin.plant.plug, 7.0)
    seat = SEQUENCE.steps[0].socket.pose()
    at = runner._estimates(0, 0, SEQUENCE.steps[0], block.task, runner._base_estimate @ seat)
    for tick in range(3):
        ours = at(tick).pos_m - (runner._base_estimate @ seat).pos_m
        theirs = twin.trial.estimate(7.0 + tick / 15 + 0.002).pos_m - twin.trial.draw.estimate.pos_m
        np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_a_study_goes_on_where_it_stopped(bundles, tmp_path):
    condition = Condition(name="servo", bundles=bundles)
    work = [Work(sequence="block_key", condition=condition, seed=seed, step=1) for seed in range(2)]
    log = tmp_path / "log.jsonl"
    first = run_all(1, work[:1], log)
    # As if killed while the second line was written.
    with log.open("a") as file:
        file.write('{"condition": "ser')
    again = run_all(1, work, log)
    assert again[:1] == first and again == run_all(1, work, log)
    assert [row["seed"] for row in read_lines(log)[0]] == [0, 1]


def test_first_tries_are_assemblies_without_a_second_try():
    whole = _run(True, True)
    retried = dataclasses.replace(whole, steps=(whole.steps[0], dataclasses.replace(whole.steps[1], attempts=2)))
    found = summarize(["block", "key"], [whole, retried, _run(False)], {})
    assert (found["sequence"]["k"], found["first_tries"]["k"], found["first_tries"]["n"]) == (2, 1, 3)


def test_a_bundle_for_another_task_is_refused(bundles, tmp_path):
    (tmp_path / "block_key").symlink_to(bundles / "block_block")
    (tmp_path / "block_block").symlink_to(bundles / "block_block")
    with pytest.raises(RefineryError, match=r"task: expected the task of step key, block_key .*got 'block_block"):
        load_policies(SEQUENCE, Condition(name="wrong", bundles=tmp_path))


def _run(*seated):
    steps = [
        dataclasses.replace(STEP, step=name, seated=ok) for name, ok in zip(("block", "key"), seated, strict=False)
    ]
    return AssemblyRecord(seed=0, steps=tuple(steps), finished=len(seated) == 2 and all(seated))


def test_survival_is_over_whole_assemblies_and_rates_over_those_that_got_there():
    runs = [_run(True, True)] * 6 + [_run(True, False)] * 2 + [_run(False)] * 2
    alone = {"block": [_run(True, True)] * 9 + [_run(False)], "key": [_run(True, True)] * 10}
    found = summarize(["block", "key"], runs, alone)
    assert (found["sequence"]["k"], found["sequence"]["n"]) == (6, 10)
    key = found["steps"]["key"]
    assert (key["survival"]["k"], key["survival"]["n"]) == (6, 10)
    assert (key["given_before"]["k"], key["given_before"]["n"]) == (6, 8)
    assert key["taken_for_seated"] == 2 and key["stops"] == {"not seated": 2}
    assert found["product_of_alone"]["rate"] == pytest.approx(0.9)
    low, high = found["product_of_alone"]["interval"]
    assert low < 0.9 < high <= 1.0
    assert found["weakest_step"] == "key"
    assert "6 of 10 finished, 60.0 % (26.2 to 87.8), 6 without a second try; steps alone would promise 90.0 %" in shown(
        found
    )
    assert "alone" not in shown(summarize(["block", "key"], runs, {}))
