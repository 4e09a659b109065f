"""Fine-tune a policy in rounds: refit the source of starts, then a few PPO iterations; a killed run can be resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from refinery.errors import DamagedFileError, RefineryError
from refinery.storage import append_line, read_lines, write_whole
from refinery_sim_train.arrays import Arrays, load_arrays, prefixed, save_arrays, under
from refinery_sim_train.console import console
from refinery_sim_train.env.episodic import Episodic
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.learn.ppo import PpoProgress, PpoSpec, PpoTraining, StartSource

LEARNING = "learning.jsonl"
"""Log with one row an iteration."""


class RefittedSource(StartSource, Protocol):
    """A source of starts that learns between rounds."""

    def refit(self, seed: int) -> None:
        """Learn from the outcomes observed so far."""

    def snapshot(self) -> Arrays:
        """State that :meth:`refit` depends on."""

    def restore(self, arrays: Arrays) -> None:
        """Go back to a snapshot."""


class FineTuning:
    """One fine-tuning run.

    Args:
        start: The policy to start from; not changed.
        env: Environment of the task.
        source: Source of the initial states.
        ppo: Hyper-parameters.
        seed: Seed of all random numbers.
        rounds: Planned rounds, over which learning rate and noise are scheduled.
        iterations_per_round: PPO iterations between two refits of the source.
        folder: Folder that stores the state after every round (``state.npz``), a readable log and one for TensorBoard;
            None stores nothing.
    """

    def __init__(
        self,
        start: Agent,
        env: Episodic,
        source: RefittedSource,
        ppo: PpoSpec,
        *,
        seed: int,
        rounds: int,
        iterations_per_round: int,
        folder: Path | None = None,
    ) -> None:
        self._source, self._seed, self._per_round = source, seed, iterations_per_round
        self._training = PpoTraining(start.copy(), env, ppo, iterations=rounds * iterations_per_round, seed=seed)
        self.rounds = 0
        """Rounds done."""
        self._file = folder / "state.npz" if folder else None
        self._log = folder / LEARNING if folder else None
        if self._file is not None and self._file.exists():
            self._restore(self._file)
        self._board = SummaryWriter(str(folder / "tensorboard")) if folder else None
        if self._log is not None:
            # A round that a kill interrupted is repeated.
            rows, _ = read_lines(self._log)
            expected = self.rounds * iterations_per_round
            if len(rows) < expected:
                lost = f"{expected - len(rows)} of {expected} rows are lost"
                console.print(f"  {self._log}: {lost}; the training does not need them", markup=False)
            write_whole(self._log, "".join(f"{json.dumps(row)}\n" for row in rows[:expected]))

    def _restore(self, file: Path) -> None:
        try:
            arrays = load_arrays(file)
            if missing := sorted(set(arrays.pop("names").tolist()) ^ set(arrays)):
                raise DamagedFileError(f"{file}: expected all arrays of a state, got another {missing[0]}")
            self.rounds = int(arrays["rounds"])
            self._training.restore(under("ppo", arrays))
            self._source.restore(under("source", arrays))
        except Exception as error:
            # Missing or mismatched arrays raise a dozen kinds of error, torch's and numpy's.
            cause = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            if isinstance(error, RefineryError):
                cause = str(error)
            raise DamagedFileError(
                f"{file}: expected the state of this training, got another ({cause}); put a copy back, or delete "
                f"{file.parent} to train again from the beginning, to the same policy"
            ) from error

    @property
    def agent(self) -> Agent:
        """The policy as it is now (live: copy it to keep it)."""
        return self._training.agent

    @property
    def env_steps(self) -> int:
        """Environment steps of training so far."""
        return self._training.env_steps

    def round(self, report: Callable[[PpoProgress], None] = lambda progress: None) -> None:
        """Refit the source on the recorded outcomes, train, and store the state."""
        self._source.refit((self._seed + self.rounds) % 2**31)
        for _ in range(self._per_round):
            progress = self._training.iterate(self._source)
            report(progress)
            if self._log is not None:
                append_line(self._log, json.dumps(vars(progress)))
            if self._board is not None:
                for name in ("success", "reward", "value_loss", "kl", "epochs", "kept"):
                    self._board.add_scalar(f"fine_tune/{name}", getattr(progress, name), progress.env_steps)
        self.rounds += 1
        if self._file is not None:
            arrays = prefixed("ppo", self._training.snapshot()) | prefixed("source", self._source.snapshot())
            arrays["rounds"] = np.array(self.rounds)
            save_arrays(self._file, arrays | {"names": np.array(sorted(arrays))}, compress=False)

    def close(self) -> None:
        """Finish TensorBoard's files."""
        if self._board is not None:
            self._board.close()
