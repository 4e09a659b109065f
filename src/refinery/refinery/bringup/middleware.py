"""Whether the middleware that the environment names is installed: without it ROS ends the process when it is imported.

Nothing here imports ROS.
"""

from __future__ import annotations

import difflib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from refinery.errors import ConfigError

ASK_AGAIN_S = 3.0
"""A server that has not answered for so long is asked again, wall clock, [s]. One that knows the client's questions but
not yet its end of the answers drops the answer (https://github.com/ros2/rmw_fastrtps/issues/842)."""
VARIABLE = "RMW_IMPLEMENTATION"
"""Environment variable that names the middleware."""
_INDEX = Path("share/ament_index/resource_index/rmw_typesupport")
_LOADER = "rmw_implementation"
"""It is in the index too, but only loads one of the others."""
_SYSTEM = Path("/opt/ros")


def installed_middlewares(env: Mapping[str, str]) -> list[str]:
    """Return the middlewares in AMENT_PREFIX_PATH, sorted; none where the environment is not that of ROS."""
    found = {
        path.name for prefix in _prefixes(env) if (prefix / _INDEX).is_dir() for path in (prefix / _INDEX).iterdir()
    }
    return sorted(found - {_LOADER})


def check_middleware(env: Mapping[str, str]) -> None:
    """Check that the middleware which the environment names is there.

    Args:
        env: The environment.

    Raises:
        ConfigError: It is not; the message names those that are, and how to get the other.
    """
    wanted, there = env.get(VARIABLE, ""), installed_middlewares(env)
    if not wanted or not there or wanted in there:
        return
    close = difflib.get_close_matches(wanted, there, n=1, cutoff=0.85)
    install = f"apt install ros-{env.get('ROS_DISTRO', 'jazzy')}-{wanted.replace('_', '-')}"
    if close:
        hint = f"did you mean {close[0]}?"
    elif any(prefix.is_relative_to(_SYSTEM) for prefix in _prefixes(env)):
        hint = f"unset it, or install it: {install}"
    else:
        hint = (
            f"unset it: the wheels bring no other. A system ROS 2 takes it: {install}, source it, make distclean build"
        )
    raise ConfigError("the environment", VARIABLE, f"what is installed ({', '.join(there)})", wanted, hint)


def require_middleware(program: str) -> None:
    """End the process with one line if its middleware is missing: for packages of nodes, before they import ROS.

    Args:
        program: Named at the beginning of the line.
    """
    try:
        check_middleware(os.environ)
    except ConfigError as error:
        sys.exit(f"{program}: {error}")


def _prefixes(env: Mapping[str, str]) -> list[Path]:
    return [Path(prefix) for prefix in env.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]
