import pytest

from refinery.bringup.executables import find_executable
from refinery.errors import NotReadyError


def test_found_in_the_package_s_lib_folder(space):
    path = find_executable("fake_nodes", "polite", space.env)
    assert path == space.prefix / "lib" / "fake_nodes" / "polite"


def test_the_first_prefix_wins(space, tmp_path):
    other = type(space)(tmp_path / "overlay")
    env = {"AMENT_PREFIX_PATH": f"{other.prefix}:{space.prefix}"}
    assert find_executable("fake_nodes", "polite", env).is_relative_to(other.prefix)


def test_unknown_executable_names_those_there_are(space):
    with pytest.raises(NotReadyError, match=r"it has: .*stubborn"):
        find_executable("fake_nodes", "imaginary", space.env)


@pytest.mark.parametrize("env", [{}, {"AMENT_PREFIX_PATH": ""}])
def test_unknown_package_says_what_to_do(env):
    with pytest.raises(NotReadyError, match=r"AMENT_PREFIX_PATH is empty.*make build"):
        find_executable("fake_nodes", "polite", env)


def test_a_file_that_is_not_executable_does_not_count(space):
    (space.prefix / "lib" / "fake_nodes" / "polite").chmod(0o644)
    with pytest.raises(NotReadyError, match="no executable"):
        find_executable("fake_nodes", "polite", space.env)
