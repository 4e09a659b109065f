"""An offline command as a user types it."""

import sys

import pytest


def run(command, arguments, monkeypatch, capsys) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", [command.__name__.rsplit(".", 1)[-1], *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        command.main()
    captured = capsys.readouterr()
    return int(ended.value.code or 0), " ".join((captured.out + captured.err).split())
