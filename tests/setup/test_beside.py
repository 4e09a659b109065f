"""Packages are installed while colcon builds; what goes wrong in one of them must not leave the other behind."""

from __future__ import annotations

import os
import sys
import threading
import time

import pytest

from beside import beside
from console import Console, SetupError


def test_both_are_done():
    done = []
    with beside(lambda: done.append("work"), pytest.fail):
        done.append("block")
    assert sorted(done) == ["block", "work"]


def test_what_fails_beside_is_raised_after_the_block():
    def work():
        raise SetupError("no index", "look at pip's settings")

    done = []
    with pytest.raises(SetupError, match="no index"), beside(work, pytest.fail):
        time.sleep(0.05)
        done.append("block")
    assert done


@pytest.mark.parametrize("error", [SetupError("no compiler", "install one"), KeyboardInterrupt()])
def test_a_block_that_fails_ends_the_command_beside_it(tmp_path, capsys, error):
    console = Console(tmp_path / "setup.log")
    began = threading.Event()

    def work():
        began.set()
        sleep = [sys.executable, "-c", "import time; print('asleep', flush=True); time.sleep(600)"]
        console.step("sleep", lambda: console.run(sleep, env=os.environ, cwd=tmp_path, todo=str))

    def asleep():
        return "asleep\n" in console.log_path.read_text()

    with pytest.raises(type(error)) as raised, beside(work, console.stop):
        assert began.wait(20.0)
        end = time.monotonic() + 20.0
        while not (console.log_path.exists() and asleep()):
            assert time.monotonic() < end
            time.sleep(0.02)
        raise error
    assert raised.value is error
    assert "stopped after" in capsys.readouterr().out
    with pytest.raises(SetupError, match="was not started"):
        console.run([sys.executable, "-c", ""], env=os.environ, cwd=tmp_path, todo=str)
