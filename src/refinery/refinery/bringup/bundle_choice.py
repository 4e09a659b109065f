"""Which bundle a bring-up uses, and for which task it is; the nodes themselves load and check it."""

from __future__ import annotations

import json
from pathlib import Path

from refinery.errors import BundleError, ConfigError
from refinery.paths import share_dir

# Not from refinery.bundle, which imports ONNX Runtime and SciPy: seconds before the first node starts.
MANIFEST = "manifest.json"
"""The file that makes a directory a bundle."""


def choose_bundle(bundle: Path | str | None, *, simulated: bool) -> Path:
    """Return the bundle's directory.

    Args:
        bundle: What the user named, or none.
        simulated: The cell is simulated: then, and only then, the demo's bundle is good enough if none was named.

    Raises:
        ConfigError: None was named and there is none to fall back on, or there is nothing at that path.
    """
    if bundle:
        path = Path(bundle).expanduser().resolve()
        if not (path / MANIFEST).is_file():
            raise ConfigError(
                "bring-up", "bundle", f"a bundle directory (with {MANIFEST})", str(path), "`make demo` makes one"
            )
        return path
    made_by_demo = share_dir() / "demo" / "run" / "bundle"
    if simulated and (made_by_demo / MANIFEST).is_file():
        return made_by_demo
    hint = f"name one; `make demo` makes one in {made_by_demo}" if simulated else "a real robot runs only what you name"
    raise ConfigError("bring-up", "bundle", "the directory of a bundle", "none", hint)


def bundled_task(bundle: Path) -> str:
    """Return the name of the task a bundle is for.

    Raises:
        BundleError: The manifest does not say.
    """
    path = bundle / MANIFEST
    try:
        name = json.loads(path.read_text(encoding="utf-8"))["task"]["name"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise BundleError(f"{path}: expected JSON with task.name, got something else; export it again") from None
    return str(name)
