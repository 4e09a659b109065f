import dataclasses

import pytest

from experiments.study.plan import DEFAULT, Arm, StudySpec, Unit, identity, units
from experiments.test.study.synthetic import study_spec
from refinery.config import load_dataclass
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery_sim_train.arrays import load_arrays, save_arrays
from refinery_sim_train.learn.record import TRAINED_WITH
from refinery_sim_train.settings import read_preset, read_task
from refinery_sim_train.weights import shipped_base


def test_every_task_has_its_seeds_and_controls_come_with_the_default():
    found = units(study_spec())
    assert len(found) == len(set(found)) == 2 * 3 + 1 + 3
    assert Unit(task="t_post", seed=2) in found and Unit(task="t_post", seed=2, arm="guided") in found
    assert Unit(task="hexagon", seed=2) not in found
    order = [(unit.arm != DEFAULT, unit.seed) for unit in found]
    assert order == sorted(order)
    assert len({unit.name for unit in found}) == len(found)


@pytest.mark.parametrize("preset", ["full", "smoke"])
def test_the_settings_there_are_load(preset):
    spec = load_dataclass(config_file("study", preset), StudySpec)
    assert spec.settings(DEFAULT) == read_preset(spec.preset)
    for name, arm in spec.arms.items():
        assert spec.settings(name) == dataclasses.replace(read_preset(spec.preset), source=arm.source)


@pytest.mark.parametrize(
    "change",
    [
        {"tasks": ()},
        {"seeds": 0},
        {"kept_out": ("cube",)},
        {"arms": {"guided": Arm(source="guided", tasks=("cube",), seeds=1)}},
        {"arms": {DEFAULT: Arm(source="guided", tasks=("t_post",), seeds=1)}},
    ],
)
def test_parts_that_do_not_fit_are_refused(change):
    with pytest.raises(ConfigError, match=next(iter(change))):
        study_spec(**change)


def test_identity_is_of_settings_task_and_weights_but_not_of_their_record(tmp_path):
    task, settings = read_task("peg_rect"), read_preset("smoke")
    mark = identity(settings, task, shipped_base(task))
    assert mark == identity(settings, task, shipped_base(task))
    assert mark != identity(dataclasses.replace(settings, rounds=4), task, shipped_base(task))
    assert mark != identity(settings, read_task("hexagon"), shipped_base(task))
    arrays = load_arrays(shipped_base(task))
    bare = {name: array for name, array in arrays.items() if name != TRAINED_WITH}
    assert bare.keys() < arrays.keys()
    save_arrays(tmp_path / "bare.npz", bare, compress=False)
    save_arrays(tmp_path / "other.npz", arrays | {"actor.mlp.0.bias": arrays["actor.mlp.0.bias"] + 1e-6})
    assert identity(settings, task, tmp_path / "bare.npz") == mark
    assert identity(settings, task, tmp_path / "other.npz") != mark
