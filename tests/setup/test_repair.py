from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console import SetupError
from repair import repair_cmake, repair_text

EXPORTED = (
    'set_target_properties(x PROPERTIES INTERFACE_INCLUDE_DIRECTORIES "${_IMPORT_PREFIX}/include/x;'
    "/opt/python/{0}-{0}/include/python{1};"
    '/opt/python/{0}-{0}/lib/python{1}/site-packages/numpy/_core/include")\n'
)
HERE = ("/usr/include/python3.11", "/home/me/.venv/lib/python3.11/site-packages/numpy/_core/include")


def exported(tag="cp311", version="3.11") -> str:
    return EXPORTED.replace("{0}", tag).replace("{1}", version)


@pytest.mark.parametrize(("tag", "version"), [("cp311", "3.11"), ("cp312", "3.12")])
def test_both_folders_are_replaced_and_nothing_else(tag, version):
    repaired = repair_text(exported(tag, version), *HERE)
    assert repaired.endswith(f'"${{_IMPORT_PREFIX}}/include/x;{HERE[0]};{HERE[1]}")\n')


@given(st.text())
def test_other_text_is_left_alone_and_a_second_repair_changes_nothing(text):
    once = repair_text(text + exported(), *HERE)
    assert once.startswith(text)
    assert repair_text(once, *HERE) == once


def test_a_path_with_backslashes_and_groups_is_taken_literally():
    assert r"\1\g<0>" in repair_text(exported(), r"/odd\1\g<0>", HERE[1])


def test_files_are_repaired_once(tmp_path):
    for name in ("a/cmake/aExport.cmake", "b/cmake/bExport.cmake"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(exported())
    (tmp_path / "c.cmake").write_text("find_package(c)\n")
    (tmp_path / "notes.txt").write_text(exported())
    assert repair_cmake(tmp_path, *HERE) == 2
    assert repair_cmake(tmp_path, *HERE) == 0
    assert (tmp_path / "notes.txt").read_text() == exported()
    assert not list(tmp_path.rglob("*.new"))


def test_a_foreign_folder_of_another_kind_is_named(tmp_path):
    (tmp_path / "x.cmake").write_text('"/opt/python/cp311-cp311/lib/libpython3.11.a"\n')
    with pytest.raises(SetupError, match=r"x\.cmake names /opt/python/cp311-cp311/lib/libpython3\.11\.a"):
        repair_cmake(tmp_path, *HERE)
