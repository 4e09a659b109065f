"""Which bundle a bring-up uses; the nodes themselves load and check it."""

from __future__ import annotations

from pathlib import Path

from refinery.bundled_task import MANIFEST
from refinery.errors import ConfigError
from refinery.paths import share_dir


def choose_bundle(bundle: Path | str | None, *, simulated: bool) -> Path:
    """Return the bundle's directory.

    Args:
        bundle: The bundle that the user named, or None.
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
