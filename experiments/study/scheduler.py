"""Run the units of a study on a few worker processes."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any

from experiments.study.plan import StudySpec, Unit
from experiments.study.work import Places, run_unit
from refinery_sim_train.weights import WeightsArgs


def run_units(
    spec: StudySpec, todo: Sequence[Unit], places: Places, weights: WeightsArgs, workers: int
) -> Iterator[tuple[Unit, dict[str, Any]]]:
    """Run units and yield each with its result as it ends.

    Args:
        spec: Settings of the study.
        todo: Units, in the order wanted.
        places: Folders.
        weights: Options on base policies trained with other control settings.
        workers: Processes, one thread each.
    """
    # Fresh interpreters: a fork would copy the threads of torch and MuJoCo.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_ignore_interrupt) as pool:
        futures = {pool.submit(run_unit, spec, unit, places, weights): unit for unit in todo}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BaseException:
            # Ends the workers in the middle of their runs; those go on from their last round next time.
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _ignore_interrupt() -> None:
    # Ctrl-C reaches the whole process group; the parent decides what happens.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
