"""A checkout that this user cannot set up: whose it is, in one message."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from pathlib import Path

import pytest

from console import SetupError
from other_user import bound, reachable
from ownership import check_ours, unwritable

SETUP = Path(__file__).resolve().parents[2] / "tools" / "setup"


@pytest.fixture
def checkout():
    with reachable() as folder:
        shutil.copytree(SETUP, folder / "tools" / "setup", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "requirements").mkdir()
        (folder / "src").mkdir()
        yield folder


def test_ones_own_checkout_is_fine(tmp_path):
    check_ours(tmp_path)
    (tmp_path / ".venv").mkdir()
    check_ours(tmp_path)


@pytest.mark.parametrize("closed", [".", ".venv", "log"])
def test_another_users_checkout_is_refused_before_anything_is_made(checkout, closed):
    for name in (".venv", "log"):
        (checkout / name).mkdir()
        (checkout / name).chmod(0o777)
    checkout.chmod(0o777)
    (checkout / closed).chmod(0o555)
    # The interpreter of these tests may be in a home that the other user may not enter.
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
    code = (
        f"import sys; sys.path.insert(0, {str(checkout / 'tools' / 'setup')!r})\n"
        f"from pathlib import Path; from ownership import check_ours; check_ours(Path({str(checkout)!r}))"
    )
    before = sorted(checkout.rglob("*"))
    done = bound([python, "-B", "-c", code], cwd="/")
    assert done.returncode == 1 and "SetupError" in done.stderr
    said = " ".join(done.stderr.split())
    assert f"expected to use {(checkout / closed).resolve()} as" in said
    assert f"belongs to {checkout.owner()}" in said and "-> " in said
    assert sorted(checkout.rglob("*")) == before


def test_what_to_do_depends_on_whose_the_checkout_is(tmp_path, monkeypatch):
    error = PermissionError(errno.EACCES, "x", str(tmp_path))
    assert "a clone of your own" in str(unwritable(error, tmp_path))
    # What `sudo make build` leaves behind in one's own checkout.
    theirs = PermissionError(errno.EACCES, "x", "/proc/1/environ" if os.geteuid() else "/proc/self")
    monkeypatch.setattr("ownership._owner", lambda place: "them" if str(place).startswith("/proc") else "me")
    monkeypatch.setattr("ownership._name", lambda uid: "me")
    assert "sudo chown -R me /proc" in str(unwritable(theirs, tmp_path))


@pytest.mark.parametrize(
    ("code", "word"), [(errno.EROFS, "read-only"), (errno.ENOSPC, "no space"), (errno.EDQUOT, "no space")]
)
def test_a_file_system_that_takes_nothing_is_said(tmp_path, code, word):
    error = unwritable(OSError(code, "x", str(tmp_path / "log")), tmp_path)
    assert isinstance(error, SetupError) and word in str(error) and str(tmp_path / "log") in str(error)
