"""Where the arm's model files are: the Apache-2.0 Panda of the ``dm-robotics-panda`` wheel."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from refinery.errors import NotReadyError


def panda_mjcf() -> Path:
    """Return the path of ``panda.xml``.

    Raises:
        NotReadyError: The wheel is not installed.
    """
    try:
        files = importlib.metadata.files("dm-robotics-panda") or []
    except importlib.metadata.PackageNotFoundError:
        raise NotReadyError("the arm model is missing: run `make setup` (wheel dm-robotics-panda)") from None
    for file in files:
        if file.name == "panda.xml":
            return Path(str(file.locate()))
    raise NotReadyError("dm-robotics-panda is installed without its panda.xml: run `make distclean setup`")
