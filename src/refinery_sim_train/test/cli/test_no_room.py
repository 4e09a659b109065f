"""The offline commands where nothing can be written: one line, before the work that would be lost."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typed_command import run

from refinery_sim_train.cli import evaluate, export, refine, train_base

PLACES = {refine: "--out", export: "--out", train_base: "--out", evaluate: "--json-out"}


@pytest.mark.parametrize("command", PLACES, ids=lambda command: command.__name__.rpartition(".")[2])
def test_a_place_that_takes_nothing_is_refused_at_once(command, monkeypatch, capsys):
    option = PLACES[command]
    status, said = run(command, [option, "/proc/nohome/x"], monkeypatch, capsys)
    assert status == 1 and "/proc/nohome" in said and option in said and "Traceback" not in said
    assert said.count("error:") == 1


def test_a_run_that_finds_the_disk_full_says_so_and_goes_on_later(tmp_path: Path):
    # Every file of the run fits but the state of the training.
    limit = 150_000
    code = (
        f"import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "sys.argv = ['refine', '--preset', 'smoke', *sys.argv[1:]]\n"
        "from refinery_sim_train.cli.refine import main; main()"
    )
    command = [sys.executable, "-c", code, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=120, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("error:")]
    assert "state.npz: could not be written" in line and "--out" in line and "ulimit" in line
    left = sorted(file.name for file in (tmp_path / "run").rglob("*.npz"))
    assert "search.npz" in left and not [name for name in left if "state" in name or "agent" in name]
    assert not list((tmp_path / "run").rglob("*.partial"))
