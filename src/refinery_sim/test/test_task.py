"""A section that makes no shape is refused when its task is read, and when its cell is built."""

import pytest
import yaml
from sections import TASK, task_with

from refinery.config import to_mapping
from refinery.errors import ConfigError
from refinery.paths import share_dir
from refinery.section import SectionSpec
from refinery_sim.model import build_model
from refinery_sim.task import load_task, named_task

TASKS = sorted((share_dir() / "config" / "tasks").glob("*.yaml"))
BOW = [[0.0, 0.0], [0.01, 0.01], [0.01, 0.0], [0.0, 0.01]]


@pytest.mark.parametrize("file", TASKS, ids=lambda file: file.stem)
def test_every_shipped_task_makes_a_shape(file):
    assert load_task(file).name == file.stem
    assert named_task(file.stem) == load_task(file)


@pytest.mark.parametrize("read", [load_task, lambda file: named_task(str(file))])
@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"family": "square", "size_m": [0.5]}, r"plug\.section\.size_m: expected .* within 0\.1 m.*got \(0\.5,"),
        ({"family": "polygon", "rings_m": [BOW]}, r"plug\.section\.rings_m: expected rings that do not cross.*got"),
        ({"family": "oval", "size_m": [0.01]}, r"plug\.section\.family: expected one of round"),
    ],
)
def test_a_bad_section_is_refused_with_file_and_key(read, section, words, tmp_path):
    raw = to_mapping(TASK)
    raw["plug"]["section"] = section
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(raw))
    with pytest.raises(ConfigError, match=words) as caught:
        read(file)
    assert str(caught.value).startswith(f"{file}: ")


def test_no_model_is_built_of_a_bad_section():
    task = task_with(SectionSpec(family="square", size_m=(0.5,)))
    with pytest.raises(ConfigError, match=r"task 'peg_rect': plug\.section\.size_m: expected a section within"):
        build_model(task, timestep_s=0.001)
