"""A child process that loads mutated bundles and watches what loading does: errors, files opened, time and memory."""

from __future__ import annotations

import ctypes
import functools
import re
import resource
import shutil
import sys
import tempfile
import time
import traceback
import typing
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np
from bundle.fuzz_cases import Case, make_case
from bundle.fuzz_corpus import Files
from scipy.spatial import ConvexHull
from scipy.spatial.transform import Rotation

from refinery.bundle import load_bundle
from refinery.errors import BundleError

MEMORY_BYTES = 8 << 30
"""Address space of a child, so that a giant tensor costs the child and not the machine."""
MOST_GROWTH_BYTES = 300 << 20
"""Loading a bundle that is mutated from a small one must not take more memory than this."""
MOST_CPU_S = 10.0
"""Nor more processor time than this, whatever else runs on the machine."""
_HARMLESS = frozenset(("object.__getattr__", "sys._getframe", "builtins.id"))
"""Events of looking at objects, as numpy does to print an array."""
MUTATED = "bundle"
"""Name of the directory of a mutated bundle; those of the good ones are others."""
LONGEST_MESSAGE = 1500
"""Longest accepted error, [characters]."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How loading one mutated bundle ended."""

    index: int
    """Number of the case."""
    kind: str
    """``loaded``, ``refused: ...`` or ``ESCAPE: ...``."""
    detail: str = ""
    """For an escape: what was done to the bundle, and the traceback."""

    @property
    def escaped(self) -> bool:
        """Whether this must not happen."""
        return self.kind.startswith("ESCAPE")


def use(path: Path) -> None:
    """Load a bundle and do with it what the nodes do."""
    bundle = load_bundle(path)
    states, rng = bundle.initial_states, np.random.default_rng(0)
    theta = states.mixture.sample(8, rng)
    predicted = states.success_model.predict(theta)
    numbers = (states.mixture.log_likelihood(theta), predicted.mean, predicted.low, predicted.high)
    assert all(np.all(np.isfinite(value)) for value in numbers), "numbers that are not finite"
    for piece in bundle.part.pieces:
        volume = ConvexHull(piece.corners_m).volume if piece.kind == "hull" else piece.volume_m3
        made = (volume, *Rotation.from_matrix(piece.axes).as_quat(), *piece.bounds_m[0], *piece.bounds_m[1])
        assert np.all(np.isfinite(made)), "a solid that is not finite"
    policy = bundle.open_policy()
    for _ in range(3):
        observation = rng.normal(size=(1, policy.observation_size)).astype(np.float32)
        if bundle.envelope is not None:
            bundle.envelope.inside(observation)
        action = policy(observation)
        assert action.shape == (1, 6), f"an action of shape {action.shape}"
    str(bundle.name).encode()


def serve(connection: Any, current: Any, seed: int, indices: range, good: tuple[Files, ...], action: str) -> None:
    """Entry point of the child: work through the cases, send a :class:`Finding` for each, then None.

    Args:
        connection: Where findings go.
        current: Shared integer, the case in work, for the parent to read if this process dies.
        seed: Of the cases.
        indices: Numbers of the cases.
        good: What they are made from.
        action: ``module:function`` that is called with the path of each bundle.
    """
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # If the parent dies, so does this process (PR_SET_PDEATHSIG).
    ctypes.CDLL(None).prctl(1, 9)
    warnings.simplefilter("ignore")
    typing.get_type_hints = functools.cache(typing.get_type_hints)
    module, _, name = action.partition(":")
    run: Callable[[Path], None] = getattr(import_module(module), name)
    watch = _Watch()
    in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="refinery-fuzz-", dir=in_memory) as folder:
        for number, files in enumerate(good):
            path = _write(files, Path(folder) / f"good{number}")
            # Whatever is imported or set up once happens the first time.
            run(path)
            with watch.over(path, learning=True):
                run(path)
        for index in indices:
            current.value = index
            connection.send(_try(run, make_case(seed, index, good), index, Path(folder) / MUTATED, watch))
    connection.send(None)


def _try(run: Callable[[Path], None], case: Case, index: int, path: Path, watch: _Watch) -> Finding:
    _write(case.files, path)
    peak_before, cpu_before = _peak_bytes(), time.process_time()
    kind, detail = "loaded", ""
    try:
        with watch.over(path):
            run(path)
    except BundleError as error:
        kind = _judged(str(error), path)
    except BaseException as error:
        kind = f"ESCAPE: {type(error).__name__}: {_brief(str(error))}"
        detail = "".join(traceback.format_exception(error)[-6:])
    growth, cpu_s = _peak_bytes() - peak_before, time.process_time() - cpu_before
    if growth > MOST_GROWTH_BYTES:
        kind = f"ESCAPE: memory, {growth >> 20} MiB, then {kind}"
    elif cpu_s > MOST_CPU_S:
        kind = f"ESCAPE: time, {cpu_s:.0f} s of processor time, then {kind}"
    elif watch.seen:
        kind = f"ESCAPE: side effect, {watch.seen[0]}, then {kind}"
    shutil.rmtree(path)
    return Finding(index=index, kind=kind, detail=f"{case.history}\n{detail}" if kind.startswith("ESCAPE") else "")


def _judged(message: str, path: Path) -> str:
    """Tell whether an error is one that a person and a log can use."""
    if len(message) > LONGEST_MESSAGE:
        return f"ESCAPE: an error of {len(message)} characters: {_brief(message)}"
    if not message.isprintable():
        return f"ESCAPE: an error that cannot be printed: {_brief(message)}"
    if str(path) not in message:
        return f"ESCAPE: an error that does not name the bundle: {_brief(message)}"
    return f"refused: {_brief(message.replace(str(path), ''))}"


def _brief(message: str) -> str:
    """Shorten an error to what kind of error it is."""
    text = re.sub(r"[0-9a-f]{64}|'[^']*'|\"[^\"]*\"|\[.*?\]|\(.*?\)|\{.*?\}", "*", message.partition("; ")[0])
    return ascii(re.sub(r"\d+", "#", text)[:110])[1:-1]


def _write(files: Files, path: Path) -> Path:
    path.mkdir()
    for name, content in files.items():
        if content is None:
            (path / name).mkdir()
        else:
            (path / name).write_bytes(content)
    return path


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class _Watch:
    """Python's audit events while a bundle is loaded: what good bundles do is expected, anything else is not.

    Good bundles read their own files, and nothing else. (:mod:`typing` evaluates the annotations of the dataclasses
    that they fill, the same for all bundles; :func:`serve` makes it do that once.)
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._expected: set[str] = set()
        self._learning = True
        self._inside: str | None = None
        sys.addaudithook(self._on_event)

    @contextmanager
    def over(self, path: Path, *, learning: bool = False) -> Iterator[None]:
        """Watch a bundle at this path being loaded; with ``learning``, whatever happens is fine from now on."""
        self.seen.clear()
        self._learning, self._inside = learning, str(path)
        try:
            yield
        finally:
            self._inside = None

    def _on_event(self, event: str, args: tuple[Any, ...]) -> None:
        inside = self._inside
        if inside is None or event in _HARMLESS:
            return
        self._inside = None
        what = f"{event} {_described(args)}".replace(inside, "BUNDLE")
        if self._learning:
            self._expected.add(what)
        elif what not in self._expected:
            self.seen.append(what[:200])
        self._inside = inside


def _described(args: tuple[Any, ...]) -> str:
    """Describe the arguments of an event, compiled code by what it does."""
    return ", ".join(
        f"{arg.co_filename} {arg.co_names} {arg.co_consts}" if isinstance(arg, CodeType) else repr(arg) for arg in args
    )
