"""Run the units of a study on a few worker processes, in order, skipping what is done."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from experiments.study.plan import StudySpec, Unit
from experiments.study.work import Work
from refinery_sim_train.weights import WeightsArgs


def run_units(
    spec: StudySpec,
    todo: list[Unit],
    results: Path,
    scratch: Path,
    workers: int,
    finished: Callable[[Unit, dict[str, Any]], None],
    weights: WeightsArgs,
) -> None:
    """Run units in parallel; what a unit depends on is run before it.

    Args:
        spec: Settings.
        todo: Units, in the order wanted.
        results: Folder of the results.
        scratch: Folder of weights and the state of unfinished units.
        workers: Processes, one thread each.
        finished: Called with every unit and its result as it ends.
        weights: Options on base policies trained with other control settings.
    """
    waiting, running = list(todo), dict[Future[dict[str, Any]], Unit]()
    # Fresh interpreters: a fork would copy the threads of torch and MuJoCo.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt) as pool:
        try:
            while waiting or running:
                ready = [unit for unit in waiting if _may_start(unit, waiting, list(running.values()))]
                for unit in ready[: workers - len(running)]:
                    waiting.remove(unit)
                    running[pool.submit(_run, spec, unit, results, scratch, weights)] = unit
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    finished(running.pop(future), future.result())
        except BaseException:
            # Ends the workers in the middle of their units; those go on from their last round next time.
            for process in list(pool._processes.values()):
                process.terminate()
            raise


def _may_start(unit: Unit, waiting: list[Unit], running: list[Unit]) -> bool:
    """Tell whether what a unit needs is done: start rules need the refined policy of the seed, the oracle the base."""
    if unit.kind == "starts":
        needed = Unit(task=unit.task, kind="tune", arm="guided", seed=unit.seed)
    elif unit.arm == "oracle":
        needed = Unit(task=unit.task, kind="base")
    else:
        return True
    return needed not in waiting and needed not in running


def _ignore_interrupt() -> None:
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run(spec: StudySpec, unit: Unit, results: Path, scratch: Path, weights: WeightsArgs) -> dict[str, Any]:
    return Work(spec, unit.task, results, scratch, weights).run(unit)
