import subprocess
import sys

import pytest

from refinery.cli.main import COMMANDS, ELSEWHERE, main


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS | ELSEWHERE)


@pytest.mark.parametrize("words", [[], ["upp"]])
def test_without_a_known_command_it_refuses_and_lists_them(words, capsys):
    assert main(words) == 2
    both = capsys.readouterr()
    assert "up " in both.out + both.err


def test_an_error_of_ours_is_one_line_and_exit_code_2(capsys):
    assert main(["up", "--robot", "ur5"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("refinery up: ")
    assert "fr3, panda, twin" in err
    assert "Traceback" not in err


def test_run_needs_a_package_and_an_executable(capsys):
    assert main(["run", "only_one"]) == 2
    assert main(["run", "--help"]) == 0
    assert "usage" in capsys.readouterr().out


def test_run_becomes_the_executable(tmp_path, monkeypatch):
    index = tmp_path / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    (index / "pkg").touch()
    program = tmp_path / "lib" / "pkg" / "say"
    program.parent.mkdir(parents=True)
    program.write_text('#!/bin/sh\necho "$@"; exit 7\n')
    program.chmod(0o755)
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", ":".join(path for path in sys.path if path))
    command = [sys.executable, "-m", "refinery.cli.main", "run", "pkg", "say", "a", "--b"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.returncode) == ("a --b\n", 7)


def test_a_command_of_a_package_that_is_not_there_names_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("AMENT_PREFIX_PATH", str(tmp_path))
    assert main(["check", "peg_rect"]) == 2
    assert "refinery check: package refinery_sim not found" in capsys.readouterr().err
