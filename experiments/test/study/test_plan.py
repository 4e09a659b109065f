from dataclasses import replace

import pytest

from experiments.study import plan
from experiments.study.plan import StudySpec, Unit, identity, unit_identity, units
from refinery.config import load_dataclass
from refinery.paths import config_file
from refinery.task import load_task
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.learn.record import TRAINED_WITH
from refinery_sim_train.refine.acquire import AcquisitionSpec
from refinery_sim_train.weights import shipped_base

BASE = Unit(task="peg_rect", kind="base")
UNIFORM = Unit(task="peg_rect", kind="tune", arm="uniform")
GUIDED = Unit(task="peg_rect", kind="tune", arm="guided")
STARTS = Unit(task="peg_rect", kind="starts")


@pytest.fixture
def spec():
    return load_dataclass(config_file("study", "full"), StudySpec)


def test_the_long_study_differs_from_the_full_one_in_length_and_extent_only(spec):
    long = load_dataclass(config_file("study", "long"), StudySpec)
    differing = {name for name in vars(spec) if getattr(spec, name) != getattr(long, name)}
    extent = {*plan.EXTENT, "variants"}
    assert differing <= extent | {"rounds", "curve_rounds", "test_episodes", "curve_episodes", "start_test_episodes"}


def test_every_task_has_its_first_seed_before_any_second_one(spec):
    found = units(spec)
    assert len(found) == len(set(found))
    seeds = [unit.seed for unit in found if not unit.arm.startswith(plan.VARIANT)]
    assert seeds == sorted(seeds)


def test_fewer_arms_leave_every_other_unit_as_it_is(spec):
    fewer = replace(spec, arms=("uniform", "guided"), versus_tasks=(), ablation_tasks=())
    assert {unit.arm for unit in units(fewer)} == {"", "uniform", "guided"}
    assert set(units(fewer)) < set(units(spec))
    for unit in units(fewer):
        assert unit_identity("x", spec, unit) == unit_identity("x", fewer, unit)


def test_other_training_code_makes_fine_tuned_units_anew_and_no_others(spec, monkeypatch):
    before = {unit: unit_identity("x", spec, unit) for unit in (BASE, UNIFORM, GUIDED, STARTS)}
    monkeypatch.setattr(plan, "TRAINING", plan.TRAINING + 1)
    changed = [unit for unit, mark in before.items() if unit_identity("x", spec, unit) != mark]
    assert changed == [UNIFORM, GUIDED, STARTS]


def test_longer_training_makes_fine_tuned_units_anew_and_no_others(spec):
    task = load_task(config_file("tasks", BASE.task))
    before, after = (
        {
            unit: unit_identity(identity(s, task, shipped_base(task)), s, unit)
            for unit in (BASE, UNIFORM, GUIDED, STARTS)
        }
        for s in (spec, replace(spec, rounds=2 * spec.rounds))
    )
    assert [unit for unit in before if before[unit] != after[unit]] == [UNIFORM, GUIDED, STARTS]


def test_other_weights_make_every_unit_anew_and_another_record_of_them_none(spec, tmp_path):
    task, shipped = load_task(config_file("tasks", BASE.task)), shipped_base(load_task(config_file("tasks", BASE.task)))
    arrays = load_arrays(shipped)
    bare = {name: array for name, array in arrays.items() if name != TRAINED_WITH}
    assert bare.keys() < arrays.keys()
    save_arrays(tmp_path / "bare.npz", bare, compress=False)
    save_arrays(tmp_path / "other.npz", arrays | {"actor.mlp.0.bias": arrays["actor.mlp.0.bias"] + 1e-6})
    mark = identity(spec, task, shipped)
    assert identity(spec, task, tmp_path / "bare.npz") == mark != identity(spec, task, tmp_path / "other.npz")


def test_more_seeds_leave_every_unit_as_it_is(spec):
    more = replace(spec, seeds=spec.seeds + 1, versus_seeds=spec.versus_seeds + 1)
    for unit in (BASE, UNIFORM, GUIDED, STARTS):
        assert unit_identity("x", spec, unit) == unit_identity("x", more, unit)


def test_another_acquisition_makes_guided_units_anew_and_no_others(spec):
    other = replace(spec, acquisition=AcquisitionSpec(temperature=0.123))
    changed = [
        u for u in (BASE, UNIFORM, GUIDED, STARTS) if unit_identity("x", spec, u) != unit_identity("x", other, u)
    ]
    assert changed == [GUIDED, STARTS]
