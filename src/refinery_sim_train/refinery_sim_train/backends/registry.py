"""The backends by name; each is imported only when it is asked for, since most environments have one of them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from refinery.errors import ConfigError
from refinery.task import Task
from refinery_sim_train.backends.physics import Physics, Simulator


@dataclass(frozen=True, kw_only=True)
class _Backend:
    """What is known of a backend before it is imported."""

    distributions: tuple[str, ...]
    """Distributions whose versions can change a result; all must be installed."""
    install: str
    """Command that installs them."""
    on_gpu: bool
    """Whether the physics can run on a GPU."""
    mujoco: int = 4
    """Least major version of MuJoCo."""


_BACKENDS = {
    "mujoco": _Backend(distributions=("mujoco",), install="make setup", on_gpu=False),
    "warp": _Backend(distributions=("mujoco", "mujoco-warp", "warp-lang"), install="make warp", on_gpu=True),
    "isaaclab": _Backend(
        distributions=("isaaclab", "newton", "mujoco", "mujoco-warp", "warp-lang"),
        install="make isaaclab, and run in that environment: .venv-isaaclab/bin/refine",
        on_gpu=True,
        mujoco=3,
    ),
}
BACKENDS = tuple(_BACKENDS)
"""Names of the backends."""
_DEVICE = re.compile(r"cpu|cuda:\d+")


def simulator(backend: str, device: str) -> Simulator:
    """Identify a simulator without starting it.

    Args:
        backend: One of :data:`BACKENDS`.
        device: Device of the physics, ``cpu`` or ``cuda:<index>``.

    Raises:
        ConfigError: There is no such backend, it is not installed, or it never runs on such a device.
    """
    if backend not in _BACKENDS:
        raise ConfigError("--backend", "", f"one of {', '.join(BACKENDS)}", backend)
    known = _BACKENDS[backend]
    if not _DEVICE.fullmatch(device):
        raise ConfigError("--device", "", "cpu or cuda:<index>", device)
    if device != "cpu" and not known.on_gpu:
        gpus = " or ".join(name for name, other in _BACKENDS.items() if other.on_gpu)
        raise ConfigError("--device", "", f"cpu, the only device of --backend {backend}", device, f"--backend {gpus}")
    try:
        versions = {name: version(name) for name in known.distributions}
    except PackageNotFoundError as error:
        raise ConfigError("--backend", "", f"{backend} installed", f"no {error.name}", known.install) from None
    if int(versions["mujoco"].split(".")[0]) < known.mujoco:
        raise ConfigError("--backend", "", f"MuJoCo {known.mujoco} for {backend}", versions["mujoco"], known.install)
    return Simulator(backend=backend, device=device, versions=versions)


def installed() -> tuple[str, ...]:
    """Return the names of the backends that can run in this environment."""
    found = []
    for name in BACKENDS:
        try:
            simulator(name, "cpu")
        except ConfigError:
            continue
        found.append(name)
    return tuple(found)


def make_physics(task: Task, count: int, *, backend: str = "mujoco", device: str = "cpu", threads: int = 0) -> Physics:
    """Build a batch of cells of a task.

    Args:
        task: The insertion task.
        count: Number of cells.
        backend: One of :data:`BACKENDS`.
        device: Device of the physics, ``cpu`` or ``cuda:<index>``.
        threads: Threads of physics that run on the CPU's cores; 0 means one per core.

    Raises:
        ConfigError: There is no such backend, it is not installed, or it cannot run on the device.
    """
    chosen = simulator(backend, device)
    if backend == "warp":
        from refinery_sim_train.backends.warp_physics import WarpPhysics

        return WarpPhysics(task, count, chosen)
    if backend == "isaaclab":
        from refinery_sim_train.backends.isaaclab_physics import IsaacLabPhysics

        return IsaacLabPhysics(task, count, chosen)
    from refinery_sim_train.backends.mujoco_physics import MujocoPhysics

    return MujocoPhysics(task, count, chosen, threads or len(os.sched_getaffinity(0)))
