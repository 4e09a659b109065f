"""Common parts of the offline commands: parsing options, running, and ending with an error."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

import torch
import tyro

from refinery.errors import RefineryError, StorageError
from refinery.storage import about_storage, storage_error
from refinery_sim_train.console import console

Args = TypeVar("Args")
_PLACES = ("out", "json_out", "scratch")


def run(args_type: type[Args], main: Callable[[Args], None]) -> None:
    """Parse the command line into a dataclass and run.

    A Refinery error, or a file that cannot be read or written, ends with one line and exit status 1.
    """
    args = tyro.cli(args_type)
    # One thread: the networks are small, and the physics has the cores.
    torch.set_num_threads(1)
    try:
        main(args)
    except RefineryError as error:
        _fail(error, args_type)
    except OSError as error:
        if about_storage(error):
            _fail(storage_error(error.filename or "a file", error), args_type)
        if not error.filename:
            raise
        _fail(RefineryError(f"{error.filename}: {error.strerror}"), args_type)
    except KeyboardInterrupt:
        console.print("interrupted; finished stages are kept, --resume goes on from there")
        sys.exit(130)


def _fail(error: RefineryError, args_type: type[Any]) -> NoReturn:
    """Exit with one line; where a file cannot be written, it names the option for another place."""
    places = [f"--{item.name.replace('_', '-')}" for item in dataclasses.fields(args_type) if item.name in _PLACES]
    elsewhere = f" ({' or '.join(places)})" if isinstance(error, StorageError) and places else ""
    console.print(f"error: {error}{elsewhere}", style="bold red", markup=False)
    sys.exit(1)
