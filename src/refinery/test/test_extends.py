from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery import extends
from refinery.config import check, from_mapping, load_dataclass
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.task import Task, load_task


@dataclass(frozen=True, kw_only=True)
class Inner:
    width_m: float
    depth_m: float = 1.0
    sizes: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        check(self.width_m < self.depth_m, "width_m", "less than depth_m", self.width_m)


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    inner: Inner
    maybe: Inner | None = None
    words: dict[str, str] = field(default_factory=dict)


def write(folder: Path, **files: str) -> Path:
    """Write files in YAML, ``a__b`` as ``a/b.yaml``, and return the first."""
    paths = [folder / f"{name.replace('__', '/')}.yaml" for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return paths[0]


def refused(path: Path) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_dataclass(path, Outer)
    return caught.value


def test_mappings_merge_at_every_depth_and_all_else_replaces(tmp_path: Path):
    file = write(
        tmp_path,
        child="extends: base.yaml\ninner: {width_m: 0.5, sizes: [3]}\nmaybe: null\nwords: {b: two, c: three}\n",
        base="name: a\ninner: {width_m: 0.1, depth_m: 2, sizes: [1, 2]}\nmaybe: {width_m: 0.2}\nwords: {a: x, b: y}\n",
    )
    assert load_dataclass(file, Outer) == Outer(
        name="a", inner=Inner(width_m=0.5, depth_m=2.0, sizes=(3.0,)), words={"a": "x", "b": "two", "c": "three"}
    )


def test_each_file_of_a_chain_names_the_next_relative_to_itself(tmp_path: Path):
    file = write(
        tmp_path,
        child="extends: base/one.yaml\nname: child\n",
        base__one="name: one\ninner: {depth_m: 3.0}\nextends: two.yaml\n",
        base__two="extends: ../three.yaml\nname: two\ninner: {depth_m: 2.0, width_m: 0.2}\n",
        three="inner: {width_m: 0.3, sizes: [3]}\n",
    )
    found = load_dataclass(file, Outer)
    assert found == Outer(name="child", inner=Inner(width_m=0.2, depth_m=3.0, sizes=(3.0,)))


@pytest.mark.parametrize(
    ("child", "base", "at", "key"),
    [
        ("name: 3", "inner: {width_m: 0.1}", "child", "name"),
        ("name: a", "inner: {width_m: wide}", "base", "inner.width_m"),
        ("name: a\ninner: {depth_m: 2.0}", "inner: {width_m: wide}", "base", "inner.width_m"),
        ("name: a\ninner: {width_m: wide}", "inner: {width_m: 0.1}", "child", "inner.width_m"),
        ("name: a\ninner: {widht_m: 0.1}", "inner: {width_m: 0.1}", "child", "inner.widht_m"),
        ("name: a\ninner: {depth_m: 2.0}", "inner: {width_m: 0.1, dept_m: 1.0}", "base", "inner.dept_m"),
        ("name: a\ninner: 7", "inner: {width_m: 0.1}", "child", "inner"),
        ("name: a\ninner: {depth_m: 2.0}", "inner: {width_m: 0.1, sizes: [1, x]}", "base", "inner.sizes[1]"),
        ("name: a", "inner: {width_m: 0.1}\nwords: {a.b: 1}", "base", "words.a.b"),
        # A value of the base that is out of range because of one of the child stands in the base.
        ("name: a\ninner: {depth_m: 0.05}", "inner: {width_m: 0.1}", "base", "inner.width_m"),
        # What is missing stands nowhere: the file that was asked for, or the one with the mapping around it.
        ("maybe: null", "inner: {width_m: 0.1}", "child", "name"),
        ("name: a", "inner: {depth_m: 2.0}", "base", "inner.width_m"),
        ("name: a\ninner: {}", "inner: {depth_m: 2.0}", "child", "inner.width_m"),
        ("name: a\ninner: {width_m: 0.1, extends: base.yaml}", "inner: {}", "child", "inner.extends"),
    ],
)
def test_an_error_names_the_file_that_the_key_stands_in(tmp_path: Path, child: str, base: str, at: str, key: str):
    file = write(tmp_path, child=f"extends: base.yaml\n{child}\n", base=f"{base}\n")
    error = refused(file)
    assert (error.source, error.key) == (str(tmp_path / f"{at}.yaml"), key)
    assert (f"inherited by {file}" in error.hint) == (at == "base")


def test_the_hint_of_an_error_in_a_base_is_kept(tmp_path: Path):
    file = write(tmp_path, child="extends: base.yaml\n", base="name: a\ninner: {widht_m: 0.1}\n")
    assert refused(file).hint == f"did you mean 'width_m'?; inherited by {file}"


@pytest.mark.parametrize("broken", ["child", "base"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("# one\nwords:\n  a: x\n  a: y\n", ("words.a", "line 3", "line 4")),
        ("# one\nwords: {a: 1_000}\n", ("words.a", "line 2", "1000")),
        ("# one\nwords: &anchor {a: x}\n", ("line 2", "anchor")),
        ("words: {a: x\n", ("YAML", "line 2")),
    ],
)
def test_both_files_are_strict_yaml(tmp_path: Path, broken: str, text: str, words: tuple[str, ...]):
    good = {"child": "extends: base.yaml\nname: a\n", "base": "inner: {width_m: 0.1}\n"}
    # A broken file is refused before anything that it inherits is looked at.
    error = refused(write(tmp_path, **(good | {broken: text})))
    assert error.source == str(tmp_path / f"{broken}.yaml") and all(word in str(error) for word in words)


def test_a_key_twice_is_refused_where_both_stand_in_one_file_only(tmp_path: Path):
    file = write(tmp_path, child="extends: base.yaml\nextends: base.yaml\n", base="name: a\n")
    assert refused(file).key == "extends"
    file = write(tmp_path, child="extends: base.yaml\nname: b\n", base="name: a\ninner: {width_m: 0.1}\n")
    assert load_dataclass(file, Outer).name == "b"


@pytest.mark.parametrize(
    "name", ["3", "true", "null", "''", "base", "base.json", "[base.yaml]", "{file: base.yaml}", "./"]
)
def test_extends_is_the_path_of_a_yaml_file(tmp_path: Path, name: str):
    file = write(tmp_path, child=f"extends: {name}\nname: a\ninner: {{width_m: 0.1}}\n", base="name: b\n")
    error = refused(file)
    assert (error.source, error.key) == (str(file), "extends") and "the path of a .yaml file" in error.expected


UNREADABLE = ["bse.yaml", "none/base.yaml", '"a\\0b.yaml"', "child.yaml/base.yaml", f"{'a' * 300}.yaml"]


@pytest.mark.parametrize("name", UNREADABLE, ids=["misspelt", "no folder", "zero byte", "file as folder", "long"])
def test_a_base_that_cannot_be_read_is_refused_in_the_file_that_names_it(tmp_path: Path, name: str):
    file = write(tmp_path, child=f"extends: {name}\nname: a\n", base="name: b\n")
    error = refused(file)
    assert (error.source, error.key) == (str(file), "extends")
    if name == "bse.yaml":
        assert error.hint == "there are: base.yaml, child.yaml"


@pytest.mark.parametrize("base", ["- 1\n", "text\n", ""])
def test_a_base_is_a_mapping(tmp_path: Path, base: str):
    file = write(tmp_path, child="extends: base.yaml\nname: a\n", base=base)
    assert refused(file).source == str(tmp_path / "base.yaml")


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_circle_is_refused_in_the_file_that_closes_it(tmp_path: Path, length: int):
    texts = {f"file{i}": f"extends: ./file{(i + 1) % length}.yaml\nname: a\n" for i in range(length)}
    error = refused(write(tmp_path, **texts))
    assert (error.source, error.key) == (str(tmp_path / f"file{length - 1}.yaml"), "extends")
    assert str(error.got).count("->") == length


def test_a_circle_through_a_link_is_refused(tmp_path: Path):
    file = write(tmp_path, child="extends: link/child.yaml\nname: a\n")
    (tmp_path / "link").symlink_to(tmp_path)
    assert refused(file).key == "extends"


def test_a_linked_file_inherits_from_what_stands_beside_the_link(tmp_path: Path):
    # As colcon --symlink-install lays out a package's share folder.
    write(tmp_path, source__child="extends: base/b.yaml\nname: a\n", share__base__b="inner: {width_m: 0.1}\n")
    link = tmp_path / "share" / "child.yaml"
    link.symlink_to(tmp_path / "source" / "child.yaml")
    assert load_dataclass(link, Outer).inner.width_m == 0.1


def test_only_a_file_inherits():
    with pytest.raises(ConfigError) as caught:
        from_mapping({"extends": "base.yaml", "name": "a"}, Outer, source="manifest.json")
    assert caught.value.key == "extends"


def flat(content: dict, prefix: tuple[str, ...] = ()) -> dict:
    """Values of nested mappings by their path."""
    found = {}
    for key, value in content.items():
        found |= flat(value, (*prefix, key)) if isinstance(value, dict) else {(*prefix, key): value}
    return found


def nested(values: dict) -> dict:
    content: dict = {}
    for path, value in values.items():
        inner = content
        for name in path[:-1]:
            inner = inner.setdefault(name, {})
        inner[path[-1]] = value
    return content


PEG = flat(extends.read(config_file("tasks", "peg_rect")).content)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 2), min_size=len(PEG), max_size=len(PEG)))
def test_a_task_s_hash_does_not_depend_on_which_file_says_what(tmp_path_factory, places):
    # Each value stands in the task's file (0), in its base (1), or in both, another one in the base (2).
    own = {path: value for (path, value), place in zip(PEG.items(), places, strict=True) if place != 1}
    base = {
        path: value if place == 1 else "something else"
        for (path, value), place in zip(PEG.items(), places, strict=True)
        if place
    }
    folder = tmp_path_factory.mktemp("split")
    (folder / "base.yaml").write_text(yaml.safe_dump(nested(base)))
    (folder / "task.yaml").write_text(yaml.safe_dump({"extends": "base.yaml"} | nested(own)))
    assert load_task(folder / "task.yaml").hash() == load_task(config_file("tasks", "peg_rect")).hash()
    assert from_mapping(extends.read(folder / "task.yaml").content, Task, source="split").name == "peg_rect"
