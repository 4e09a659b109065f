"""The design of a comparison: blocks of trials on common seeds, conditions in random order behind codes, hashed."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from refinery.bundle.files import MANIFEST
from refinery.bundled_task import load_bundled_task
from refinery.config import check
from refinery.errors import ConfigError, DamagedFileError
from refinery.storage import read_bytes, read_json, write_whole

PLAN, KEY = "plan.json", "key.json"
CODES = "ABCDEFGH"
"""Names of the conditions until unblinded."""
FIRST_SEED = 20_000_000
"""Cells of evaluations; no other stream of seeds uses the numbers from here on."""
MAX_BLOCKS = 10_000
_SEEDS = 100_000
Stopping = Literal["fixed", "anytime"]
"""Whether the comparison is made after all blocks, or may be looked at and ended after any."""
MODES = {"": "uniform", "sampled": "best"}
"""How /place samples the start of a condition, by what follows the "+" of its name."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """What is compared: a policy, and where it starts."""

    name: str
    """As the user calls it; the part after a "+" names the starts."""
    bundle: str
    """Directory of its bundle."""
    bundle_hash: str
    """SHA-256 of the bundle's manifest, which has those of all its files."""
    mode: str
    """How /place samples its start: uniform or best."""

    def check_bundle(self) -> None:
        """Check that the bundle is the one that was planned.

        Raises:
            ConfigError: It is another one, or none.
        """
        found = hash_bundle(Path(self.bundle))
        if found != self.bundle_hash:
            raise ConfigError(self.bundle, MANIFEST, f"SHA-256 {self.bundle_hash}", found, "plan anew with this bundle")


@dataclass(frozen=True, kw_only=True)
class PlannedTrial:
    """One trial to run."""

    number: int
    """Place in the order, from 0."""
    block: int
    """Trials of one block see the same cell."""
    code: str
    """Code of its condition."""
    seed: int
    """Seed of the cell and of the start."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What everybody may see before the end: it says nothing about which code is which condition."""

    task: str
    """Name of the task."""
    task_hash: str
    """Its hash."""
    seed: int
    """Of the order of trials and of the cells, 0 to 9999."""
    order: tuple[str, ...]
    """Codes of each block in the order to run them."""
    stopping: Stopping
    """When the comparison may be looked at."""
    from_percent: float
    """Success rate of the control that was assumed, [%]."""
    detect_points: float
    """Difference that should be detected, [percentage points]."""
    key_hash: str
    """SHA-256 of the key: the codes cannot be given other meanings later."""

    def __post_init__(self) -> None:
        """Validate."""
        check(self.stopping in get_args(Stopping), "stopping", f"one of {get_args(Stopping)}", self.stopping)
        check(0 <= self.seed <= 9999, "seed", "0 to 9999", self.seed)
        check(1 <= len(self.order) <= MAX_BLOCKS, "order", f"1 to {MAX_BLOCKS} blocks", len(self.order))
        codes = self.codes
        fits = 1 <= len(codes) <= len(CODES) and all(sorted(block) == sorted(codes) for block in self.order)
        check(fits, "order", "every code once in each block", self.order[:3])

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, in alphabetical order."""
        return tuple(sorted(set(self.order[0]))) if self.order else ()

    @property
    def trials(self) -> tuple[PlannedTrial, ...]:
        """All trials in the order to run them."""
        first = FIRST_SEED + _SEEDS * self.seed
        flat = [(block, code) for block, codes in enumerate(self.order) for code in codes]
        return tuple(
            PlannedTrial(number=number, block=block, code=code, seed=first + block)
            for number, (block, code) in enumerate(flat)
        )

    def hash(self) -> str:
        """SHA-256 of the design, to be noted before the first trial."""
        return _hash(dataclasses.asdict(self))


@dataclass(frozen=True, kw_only=True)
class Key:
    """Which code is which condition."""

    nonce: str
    """Random, so that the key's hash does not give the key away."""
    conditions: dict[str, Condition]
    """Condition of each code."""
    control: str
    """Code of the condition that the others are compared with."""

    def hash(self) -> str:
        """SHA-256 of the key."""
        return _hash(dataclasses.asdict(self))

    @property
    def others(self) -> tuple[str, ...]:
        """Codes of the conditions that are compared with the control."""
        return tuple(sorted(set(self.conditions) - {self.control}))


def draw_design(
    conditions: tuple[Condition, ...],
    *,
    blocks: int,
    seed: int,
    stopping: Stopping,
    from_percent: float,
    detect_points: float,
) -> tuple[Design, Key]:
    """Draw codes and orders.

    Args:
        conditions: At least two on one task; the first is the control.
        blocks: Each has one trial of every condition.
        seed: See :class:`Design`.
        stopping: See :class:`Design`.
        from_percent: See :class:`Design`.
        detect_points: See :class:`Design`.

    Raises:
        ConfigError: The conditions cannot be compared.
    """
    check(2 <= len(conditions) <= len(CODES), "conditions", f"2 to {len(CODES)}", len(conditions))
    check(len({c.name for c in conditions}) == len(conditions), "conditions", "different names", conditions)
    check(1 <= blocks <= MAX_BLOCKS, "blocks", f"1 to {MAX_BLOCKS}", blocks)
    tasks = [load_bundled_task(Path(c.bundle)) for c in conditions]
    for condition, task in zip(conditions, tasks, strict=True):
        if task.hash() != tasks[0].hash():
            expected = f"the task of {conditions[0].name}, {tasks[0].name} ({tasks[0].hash()[:12]})"
            raise ConfigError(condition.bundle, "task", expected, f"{task.name} ({task.hash()[:12]})", "export anew")
    # The order is no secret, which condition a code stands for is: that is not drawn from the seed.
    shuffled = np.random.default_rng(secrets.randbits(128)).permutation(len(conditions))
    codes = CODES[: len(conditions)]
    key = Key(
        nonce=secrets.token_hex(16),
        conditions={code: conditions[index] for code, index in zip(codes, shuffled, strict=True)},
        control=codes[int(np.argmin(shuffled))],
    )
    rng = np.random.default_rng([seed, FIRST_SEED])
    design = Design(
        task=tasks[0].name,
        task_hash=tasks[0].hash(),
        seed=seed,
        order=tuple("".join(rng.permutation(list(codes))) for _ in range(blocks)),
        stopping=stopping,
        from_percent=from_percent,
        detect_points=detect_points,
        key_hash=key.hash(),
    )
    return design, key


def save_design(folder: Path, design: Design, key: Key) -> None:
    """Write ``plan.json`` and ``key.json``, where there is no plan yet.

    Raises:
        ConfigError: There is a plan.
        StorageError: They cannot be written.
    """
    if (folder / PLAN).exists():
        raise ConfigError(folder / PLAN, "", "no plan there yet", "one", "a plan is not changed: choose another --out")
    write_whole(folder / KEY, json.dumps(dataclasses.asdict(key), indent=1) + "\n")
    plan = dataclasses.asdict(design) | {"design_hash": design.hash()}
    write_whole(folder / PLAN, json.dumps(plan, indent=1) + "\n")


def load_design(folder: Path) -> tuple[Design, Key]:
    """Read a plan and its key.

    Raises:
        FileNotFoundError: There is none.
        DamagedFileError: It was changed since it was hashed.
        ConfigError: A value is out of range.
    """
    try:
        raw, secret = read_json(folder / PLAN), read_json(folder / KEY)
    except FileNotFoundError as error:
        hint = "`refinery evaluate plan --out` makes one"
        raise ConfigError(folder, str(error.filename), "a plan", "no such file", hint) from None
    expected = raw.pop("design_hash", "")
    try:
        conditions = {code: Condition(**values) for code, values in secret.pop("conditions").items()}
        design, key = Design(**raw | {"order": tuple(raw["order"])}), Key(conditions=conditions, **secret)
    except (LookupError, TypeError, AttributeError) as error:
        raise DamagedFileError(f"{folder / PLAN}: expected a plan and its key, got {error}") from None
    for name, found, was in (
        (PLAN, design.hash(), expected),
        (KEY, key.hash(), design.key_hash),
    ):
        if found != was:
            raise DamagedFileError(f"{folder / name}: expected SHA-256 {was}, got {found}; it was changed: plan anew")
    return design, key


def named_conditions(names: tuple[str, ...], bundles: dict[str, Path]) -> tuple[Condition, ...]:
    """Return the conditions that names such as ``refined+sampled`` stand for.

    Args:
        names: Name of a bundle, with "+sampled" for chosen starts instead of uniform ones.
        bundles: Directory of each bundle.

    Raises:
        ConfigError: A name stands for none.
    """
    found = []
    for name in names:
        bundle, _, starts = name.partition("+")
        if bundle not in bundles:
            known = ", ".join(bundles) or "none"
            raise ConfigError("plan", "conditions", f"a bundle of --bundles ({known})", name, f"add {bundle}=PATH")
        if starts not in MODES or name.endswith("+"):
            raise ConfigError("plan", "conditions", f"{bundle} or {bundle}+sampled", name, "")
        path = bundles[bundle].expanduser().resolve()
        found.append(Condition(name=name, bundle=str(path), bundle_hash=hash_bundle(path), mode=MODES[starts]))
    return tuple(found)


def hash_bundle(path: Path) -> str:
    """SHA-256 of a bundle's manifest.

    Raises:
        ConfigError: There is no bundle.
    """
    try:
        return hashlib.sha256(read_bytes(path / MANIFEST)).hexdigest()
    except FileNotFoundError:
        raise ConfigError(path, "", f"a bundle directory (with {MANIFEST})", "none", "`refine` makes one") from None


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
