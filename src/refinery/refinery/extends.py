"""Inheritance between YAML files: ``extends: <file>`` lays the mappings of one file over those of another."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from refinery import strict_yaml
from refinery.errors import ConfigError

KEY = "extends"
"""Key of a file's top level that names the file it inherits from, relative to its own folder."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A YAML file together with what it inherits."""

    content: Any
    """The merged mappings, without the key ``extends``."""
    layers: tuple[tuple[Path, Any], ...]
    """Each file of the chain with what it says itself, the file that was asked for first."""

    def located(self, error: ConfigError) -> ConfigError:
        """Name the file that a faulty value stands in.

        Args:
            error: About a key of ``content``.

        Returns:
            The same for the first file of the chain that has the key. A missing key stands nowhere: then the first
            file that has the innermost mapping around it.
        """
        file = max(self.layers, key=lambda layer: _depth(layer[1], error.key))[0]
        child = self.layers[0][0]
        inherited = f"inherited by {child}" if file != child else ""
        hint = "; ".join(part for part in (error.hint, inherited) if part)
        return ConfigError(file, error.key, error.expected, error.got, hint)


def read(path: Path) -> Configuration:
    """Read a YAML file and the files it inherits from.

    Mappings are merged key by key at every depth; lists, scalars and null replace what is inherited.

    Args:
        path: The file, UTF-8.

    Returns:
        What it says, with what it inherits.

    Raises:
        OSError: ``path`` cannot be read.
        ConfigError: A file of the chain is not strict YAML (:mod:`refinery.strict_yaml`), inherits from itself or from
            what is not there or no mapping.
    """
    file, own = Path(path), strict_yaml.read(path)
    chain = [file]
    layers = [(file, own)]
    while isinstance(own, dict) and KEY in own:
        file, own = _inherited(file, own.pop(KEY), chain)
        chain.append(file)
        layers.append((file, own))
    content = layers[-1][1]
    for _, over in reversed(layers[:-1]):
        content = _merged(content, over)
    return Configuration(content=content, layers=tuple(layers))


def missing(path: Path, source: object, key: str = "") -> ConfigError:
    """Return the error that says which YAML files there are where one is missing.

    Args:
        path: The missing file.
        source: File that is at fault.
        key: Key of ``source`` that names ``path``, if it does.
    """
    near = sorted(other.name for other in path.parent.glob("*.yaml")) if path.parent.is_dir() else []
    hint = f"there are: {', '.join(near)}" if near else "check the path"
    return ConfigError(source, key, "a YAML file", str(path) if key else "nothing there", hint)


def _inherited(child: Path, name: object, chain: list[Path]) -> tuple[Path, Any]:
    """Read the file that ``child`` names."""
    if not isinstance(name, str) or not name.endswith((".yaml", ".yml")):
        raise ConfigError(child, KEY, "the path of a .yaml file, relative to this one", name)
    file = child.parent / name
    try:
        if os.path.realpath(file) in map(os.path.realpath, chain):
            circle = " -> ".join(str(other) for other in (*chain, file))
            raise ConfigError(child, KEY, "a file that does not inherit from this one", circle)
        content = strict_yaml.read(file)
    except (FileNotFoundError, ValueError):
        raise missing(file, child, KEY) from None
    except OSError as error:
        raise ConfigError(child, KEY, "a readable file", " ".join(str(error).split())) from None
    if not isinstance(content, dict):
        raise ConfigError(file, "", "a mapping", content, f"inherited by {child}")
    return file, content


def _merged(inherited: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    """Lay a mapping over another, both unchanged."""
    both = {
        name: _merged(inherited[name], value)
        for name, value in own.items()
        if isinstance(value, dict) and isinstance(inherited.get(name), dict)
    }
    return inherited | own | both


def _depth(content: Any, key: str) -> int:
    """Count the names of a dotted key, indices left out, that lead somewhere in nested mappings."""
    if not key or not isinstance(content, dict):
        return 0
    for name, value in content.items():
        rest = key.removeprefix(name)
        if rest != key and (not rest or rest[0] in ".["):
            return 1 + _depth(value, rest.removeprefix("."))
    return 0
