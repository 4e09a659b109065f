import ast
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from refinery import strict_yaml
from refinery.config import load_dataclass
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.robot_profile import load_robot_profile
from refinery.strict_yaml import MAX_BYTES, MAX_DEPTH, parse, read
from refinery.task import Task

ROOT = Path(__file__).parents[3]
CONFIG = sorted(file for kind in ("yaml", "yml", "rviz") for file in (ROOT / "config").rglob(f"*.{kind}"))


@pytest.mark.parametrize("file", CONFIG, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_every_shipped_file_is_strict_and_reads_as_ros_reads_it(file):
    assert read(file) == yaml.safe_load(file.read_text())


def test_all_yaml_that_the_product_reads_comes_through_here():
    own = Path(strict_yaml.__file__).resolve()
    found = []
    for file in (file for place in ("src", "launch", "tools") for file in (ROOT / place).rglob("*.py")):
        if "test" in file.relative_to(ROOT).parts or file.resolve() == own:
            continue
        found += [
            f"{file.relative_to(ROOT)}:{node.lineno}"
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "yaml"
            and node.attr.endswith(("load", "load_all", "Loader", "compose", "parse", "scan"))
        ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", (1, 3)),
        ("limits:\n  speed: 0.2\n  force: 1\n\n  speed: 1.0\n", "limits.speed", (2, 5)),
        ("a: {b: 1, c: 2,\n b: 3}", "a.b", (1, 2)),
        ("a:\n - x: 1\n   x: 2\n", "a[0].x", (2, 3)),
        ("a: 1\n'a': 1\n", "a", (1, 2)),
        ("a:\n  b: 1\nc: 2\na:\n  d: 3\n", "a", (1, 4)),
    ],
)
def test_a_key_twice_is_refused_with_both_lines(text, key, lines):
    with pytest.raises(ConfigError) as caught:
        parse(text, "cell.yaml")
    assert (caught.value.source, caught.value.key) == ("cell.yaml", key)
    assert all(f"line {line}" in str(caught.value) for line in lines)


@pytest.mark.parametrize(
    ("load", "source", "old", "new", "key"),
    [
        (load_robot_profile, config_file("robots", "fr3"), "velocity_scaling", "1.0", "velocity_scaling"),
        (
            lambda path: load_dataclass(Path(path), Task),
            config_file("tasks", "peg_rect"),
            "clearance_m",
            "1",
            "clearance_m",
        ),
    ],
    ids=["robot profile", "task"],
)
def test_the_reported_doubles_do_not_load(tmp_path, load, source, old, new, key):
    lines = source.read_text().splitlines()
    (at,) = [index for index, line in enumerate(lines) if line.strip().startswith(old)]
    indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    name = lines[at].strip().partition(":")[0]
    file = tmp_path / source.name
    file.write_text("\n".join([*lines[: at + 1], f"{indent}{name}: {new}", *lines[at + 1 :]]))
    with pytest.raises(ConfigError) as caught:
        load(str(file))
    text = str(caught.value)
    assert file.name in text and key in text and f"line {at + 1} " in text and f"line {at + 2}'" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("5e-4", "5.0e-4"),
        ("1.5e3", "1.5e+3"),
        ("-.5", "-0.5"),
        ("1e400", "1.0e+400"),
        ("09", "9"),
        ("1_000", "1000"),
        ("1_0.5", "10.5"),
        ("0x10", "16"),
        ("0b11", "3"),
        ("010", "8"),
        ("0o17", "decimal"),
        ("1:30", "90"),
        ("1:30:15.5", "5415.5"),
        ("on", "true or false"),
        ("No", "true or false"),
        ("TRUE", "true or false"),
        (".inf", "finite"),
        (".nan", "finite"),
        ("nan", "finite"),
        ("-infinity", "finite"),
        ("1.0e+400", "finite"),
        ("9" * 30, "finite"),
        ("9" * 5000, "finite"),
        ("0x_", "decimal"),
        ("\u0661\u0662", "decimal"),
        ("2026-11-26", "date"),
        ("=", "in quotes"),
        ("", "null"),
    ],
)
def test_what_is_not_read_as_it_looks_says_what_to_write(text, said):
    with pytest.raises(ConfigError) as caught:
        parse(f"# a comment\nlimits:\n  speed: {text}\n", "cell.yaml")
    assert caught.value.key == "limits.speed"
    assert "line 3" in caught.value.expected and said in str(caught.value)
    if text:
        assert parse(f"speed: '{text}'", "cell.yaml") == {"speed": text}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5.0e-4", 5e-4),
        ("+5", 5),
        ("-0.5", -0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("fr3_link8", "fr3_link8"),
        ("12e", "12e"),
        ("'5e-4'", "5e-4"),
        ("|\n  5e-4\n", "5e-4\n"),
        ("[1, 2.0]", [1, 2.0]),
    ],
)
def test_what_looks_as_it_is_reads(text, value):
    got = parse(f"a: {text}", "x")["a"]
    assert got == value and type(got) is type(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "emptied"),
        ("# only this\n", "emptied"),
        ("a: 1\n---\na: 2\n", "single document"),
        ("a:\n\tb: 1\n", "indent with spaces"),
        ("a: [1,\n", "line 2"),
        ("\x00", "YAML"),
        (b"\xff\xfea\x00", "UTF-8"),
        ("a: \xe4".encode("latin-1"), "UTF-8"),
        ("a: &x [1]\nb: 1\n", "'x'"),
        ("a: 1\nb: *x\n", "'x'"),
        ("base: {a: 1}\n<<: {a: 2}\n", "merge key"),
        ("a: !!float 1\n", "tag"),
        ("a: !!python/object:os.system 1\n", "tag"),
        ("1: a\n", "key in text"),
        ("? [a]\n: 1\n", "key in text"),
        ("on: 1\n", "true or false"),
        ('a: "\\ud800"\n', "surrogate"),
        ("[" * 100_000, f"{MAX_DEPTH} levels"),
        ("- " * (MAX_DEPTH + 1) + "1", f"{MAX_DEPTH} levels"),
    ],
)
def test_documents_that_are_no_configuration_are_refused(text, said):
    with pytest.raises(ConfigError) as caught:
        parse(text, "cell.yaml")
    assert caught.value.source == "cell.yaml" and said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor():
    lines = ["a0: &a0 [x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20))]
    with pytest.raises(ConfigError, match="line 1"):
        parse("\n".join(lines), "x")


def test_a_huge_file_is_refused_unread(tmp_path):
    file = tmp_path / "big.yaml"
    file.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(ConfigError, match=r"big\.yaml"):
        read(file)


def test_a_byte_order_mark_is_no_part_of_the_first_key():
    assert parse("\ufeffa: 1".encode(), "x") == parse("\ufeffa: 1", "x") == {"a": 1}


def test_a_part_of_something_is_named():
    with pytest.raises(ConfigError) as caught:
        parse("{speed: 5e-4}", "--set", "refinery_policy")
    assert caught.value.key == "refinery_policy.speed"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        parse(text, "x")
    except ConfigError as error:
        assert error.source == "x"


def test_values_come_with_the_lines_they_stand_in(tmp_path):
    file = tmp_path / "gains.yaml"
    file.write_text("/**:\n  arm:\n    k: 1.0\n    d: [1,\n      2]\n\nlast: text\n")
    assert strict_yaml.read_placed(file) == {"/**.arm.k": (1.0, 3), "/**.arm.d": ([1, 2], 4), "last": ("text", 7)}
    file.write_text("a:\n  k: 1.0\n  k: 2.0\n")
    with pytest.raises(ConfigError, match="again in line 3"):
        strict_yaml.read_placed(file)
