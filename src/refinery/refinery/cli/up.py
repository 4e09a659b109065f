"""``refinery up``: the nodes of a robot cell without ``ros2 launch``."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated

import tyro

from refinery.bringup.description import describe_bringup
from refinery.bringup.middleware import check_middleware
from refinery.bringup.ros_start import ros_log_dir, ros_logs_in
from refinery.bringup.running import check_not_running
from refinery.bringup.supervisor import LOGS_ADVICE, Supervisor
from refinery.config import check
from refinery.errors import ConfigError
from refinery.parameters import Typed
from refinery.storage import check_writable


@dataclass(frozen=True, kw_only=True)
class UpArgs:
    """Start the nodes of a robot cell, watch them, and stop them together."""

    robot: str
    """Profile in config/robots (twin, fr3, panda) or a path to one."""
    bundle: Path | None = None
    """Bundle to run; for the twin, the one `make demo` made if none is given."""
    task: str | None = None
    """The bundle's task, in config/tasks or a path, for who wants to be sure: another one is refused."""
    sequence: str | None = None
    """Sequence to assemble, in config/sequences or a path; with --bundles instead of --bundle."""
    bundles: Path | None = None
    """Folder of the sequence's bundles, named as tasks or as steps say; default on the twin: those shipped."""
    domain: int | None = None
    """ROS_DOMAIN_ID of the nodes, 0 to 101; the environment's if none is given."""
    namespace: str = ""
    """Put the cell under this namespace, as in /left; several cells on one domain need one each."""
    seed: int = 0
    """Of the twin's first trial."""
    realtime_factor: float | None = None
    """Simulated seconds per second for the twin; 0 is as fast as possible."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction] = ()
    """A parameter as node.parameter=value; may be given several times."""
    log_dir: Path | None = None
    """Where the nodes' output goes."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.domain is None or 0 <= self.domain <= 101, "domain", "an id in 0 to 101", self.domain)


def main(argv: Sequence[str]) -> int:
    """Run until Ctrl-C, SIGTERM or the end of a required node.

    Args:
        argv: Words after ``refinery up``.

    Returns:
        0 after a signal, 1 if a node ended by itself.
    """
    args = tyro.cli(UpArgs, args=list(argv), prog="refinery up")
    check_middleware(os.environ)
    specs = describe_bringup(
        args.robot,
        bundle=args.bundle,
        task=args.task,
        namespace=args.namespace,
        seed=args.seed,
        realtime_factor=args.realtime_factor,
        sequence=args.sequence,
        bundles=args.bundles,
        overrides=parse_overrides(args.set),
    )
    env = dict(os.environ)
    if args.domain is not None:
        env["ROS_DOMAIN_ID"] = str(args.domain)
    domain = chosen_domain(env)
    log_dir = args.log_dir or default_log_dir()
    check_writable(log_dir, LOGS_ADVICE)
    with ros_logs_in(log_dir):
        check_not_running([], args.namespace, nodes=specs, domain=domain)
    supervisor = Supervisor(specs, env=env, log_dir=log_dir)
    with _stop_on_signal() as stop, supervisor:
        names = ", ".join(spec.name for spec in specs)
        under = f" under {args.namespace}" if args.namespace else ""
        print(
            f"refinery up: {names}{under} on domain {domain}; logs in {supervisor.log_dir}; Ctrl-C stops them",
            flush=True,
        )
        dead = supervisor.wait(until=stop.is_set)
    if dead:
        print(f"refinery up: {'; '.join(map(str, dead))}; everything else was stopped", flush=True)
        return 1
    print("refinery up: stopped by a signal; all nodes were stopped", flush=True)
    return 0


def parse_overrides(words: Sequence[str]) -> dict[str, Typed]:
    """Return the values of ``node.parameter=value`` words as they were typed.

    Raises:
        ConfigError: A word is not of that form.
    """
    overrides = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or "." not in key:
            raise ConfigError("refinery up", "--set", "node.parameter=value", word)
        overrides[key] = Typed(text)
    return overrides


def chosen_domain(env: Mapping[str, str]) -> int:
    """Return the ROS domain of an environment.

    Raises:
        ConfigError: It is no number.
    """
    text = env.get("ROS_DOMAIN_ID", "").strip() or "0"
    if not text.isdecimal():
        raise ConfigError("the environment", "ROS_DOMAIN_ID", "an id in 0 to 101", text)
    return int(text)


def default_log_dir() -> Path:
    """Return a new folder where ROS keeps its logs."""
    return ros_log_dir(os.environ) / f"refinery-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}"


@contextmanager
def _stop_on_signal() -> Iterator[threading.Event]:
    """Set an event on the first signal; a second one raises KeyboardInterrupt, which kills the remaining nodes."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, on_signal) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
