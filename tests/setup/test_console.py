from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from console import Console, SetupError

TOOLS = Path(__file__).resolve().parents[2] / "tools" / "setup"


def test_a_step_is_one_line_and_the_rest_goes_to_the_log(tmp_path, capsys):
    console = Console(tmp_path / "log" / "setup.log")
    command = [sys.executable, "-c", "print('chatter')"]
    console.step("a step", lambda: console.run(command, env=os.environ, cwd=tmp_path, todo=str))
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split()[:2] == ["a", "step"]
    assert line.endswith(" s")
    assert "chatter" in console.log_path.read_text()


def test_each_run_starts_the_log_anew(tmp_path):
    for word in ("first", "second"):
        console = Console(tmp_path / "setup.log")
        console.log(word)
        console.log("more")
    assert "first" not in console.log_path.read_text()
    assert "more" in console.log_path.read_text()


def test_a_failure_shows_its_end_the_way_out_and_the_log(tmp_path):
    console = Console(tmp_path / "setup.log")
    console.log("earlier")
    command = [sys.executable, "-c", "print('a'); print('the reason'); raise SystemExit(4)"]
    with pytest.raises(SetupError) as error:
        console.run(command, env=os.environ, cwd=tmp_path, todo=lambda output: f"saw {output.count('reason')}")
    text = str(error.value)
    assert "exit code 4" in text
    assert "| the reason" in text
    assert f"-> saw 1 (everything it said: {tmp_path / 'setup.log'})" in text


def test_an_interruption_ends_what_the_step_started(tmp_path):
    program = textwrap.dedent(f"""
        import os, sys
        sys.path.insert(0, {str(TOOLS)!r})
        import signal
        from pathlib import Path
        from console import Console
        def stop(number, frame):
            raise KeyboardInterrupt
        signal.signal(signal.SIGTERM, stop)
        console = Console(Path({str(tmp_path)!r}) / "setup.log")
        shell = "sleep 600 & echo $! > {tmp_path}/pid; wait"
        console.run(["bash", "-c", shell], env=os.environ, cwd=Path("/"), todo=str)
    """)
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    pid_file = tmp_path / "pid"
    end = time.monotonic() + 20.0
    while not (pid_file.exists() and pid_file.read_text().strip()):
        assert time.monotonic() < end
        time.sleep(0.02)
    process.terminate()
    assert process.wait(20.0) != 0
    stat = Path(f"/proc/{pid_file.read_text().strip()}/stat")
    end = time.monotonic() + 5.0
    while stat.exists() and " Z " not in stat.read_text():
        assert time.monotonic() < end
        time.sleep(0.02)
