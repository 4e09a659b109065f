from dataclasses import dataclass, field
from pathlib import Path

import pytest

from refinery.config import check, find_mistakes, from_mapping, load_dataclass, to_mapping
from refinery.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Inner:
    width_m: float = 0.1

    def __post_init__(self) -> None:
        check(self.width_m > 0, "width_m", "a positive width [m]", self.width_m)


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    sizes: tuple[float, float] = (1.0, 2.0)
    many: tuple[int, ...] = ()
    maybe: float | None = None
    flag: bool = False


def test_reads_and_writes_back():
    data = {"name": "a", "inner": {"width_m": 2}, "sizes": [1, 2.5], "many": [1, 2, 3], "maybe": 1, "flag": True}
    outer = from_mapping(data, Outer, source="x")
    assert outer == Outer(name="a", inner=Inner(width_m=2.0), sizes=(1.0, 2.5), many=(1, 2, 3), maybe=1.0, flag=True)
    assert from_mapping(to_mapping(outer), Outer, source="x") == outer


@pytest.mark.parametrize(
    ("data", "key", "words"),
    [
        ({"name": "a", "iner": {}}, "iner", "did you mean 'inner'"),
        ({"name": "a", "inner": {"widht_m": 1.0}}, "inner.widht_m", "did you mean 'width_m'"),
        ({}, "name", "missing"),
        ({"name": 3}, "name", "str"),
        ({"name": "a", "inner": {"width_m": -1.0}}, "inner.width_m", "positive"),
        ({"name": "a", "inner": {"width_m": float("nan")}}, "inner.width_m", "finite"),
        ({"name": "a", "sizes": [1.0]}, "sizes", "2 values"),
        ({"name": "a", "many": [1, "b"]}, "many[1]", "int"),
        ({"name": "a", "flag": 1}, "flag", "bool"),
        ({"name": "a", "inner": 7}, "inner", "mapping"),
    ],
)
def test_errors_name_file_key_and_expectation(tmp_path: Path, data, key, words):
    import yaml

    file = tmp_path / "thing.yaml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError) as caught:
        load_dataclass(file, Outer)
    text = str(caught.value)
    assert "thing.yaml" in text and key in text and words in text


@pytest.mark.parametrize("content", ["a: [1", "\x00", "- 1\n- 2\n", ""])
def test_broken_files_are_config_errors(tmp_path: Path, content):
    file = tmp_path / "thing.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=r"thing\.yaml"):
        load_dataclass(file, Outer)


def test_missing_file_lists_what_is_there(tmp_path: Path):
    (tmp_path / "peg.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"there are: peg\.yaml"):
        load_dataclass(tmp_path / "pge.yaml", Outer)


def test_all_mistakes_are_found_at_once_each_in_its_file(tmp_path: Path):
    (tmp_path / "base.yaml").write_text("name: 3\ninner: {width_m: -1.0}\n")
    file = tmp_path / "thing.yaml"
    file.write_text("extends: base.yaml\nsizes: [1.0]\nflagg: true\n")
    value, mistakes = find_mistakes(file, Outer)
    assert value is None
    assert [(Path(m.source).name, m.key) for m in mistakes] == [
        ("thing.yaml", "flagg"),
        ("base.yaml", "name"),
        ("base.yaml", "inner.width_m"),
        ("thing.yaml", "sizes"),
    ]


def test_a_value_out_of_range_still_gives_an_instance_and_nothing_is_collected_afterwards(tmp_path: Path):
    file = tmp_path / "thing.yaml"
    file.write_text("name: a\ninner: {width_m: -1.0}\n")
    value, mistakes = find_mistakes(file, Outer)
    assert value is not None and value.inner.width_m == -1.0
    assert [(m.key, m.got) for m in mistakes] == [("inner.width_m", -1.0)]
    with pytest.raises(ConfigError):
        Inner(width_m=-1.0)
    file.write_text("name: a\n")
    assert find_mistakes(file, Outer) == (Outer(name="a"), [])
