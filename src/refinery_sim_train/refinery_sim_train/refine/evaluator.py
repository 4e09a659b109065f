"""Evaluate the policies of a run; outcomes are stored in the run's folder, and every evaluation runs once."""

from __future__ import annotations

from refinery.rotations import Array
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodic import Episodic
from refinery_sim_train.refine.evaluate import BatchPolicy, Outcomes, evaluate
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.refine.seeding import stream_seed


class Evaluator:
    """Evaluates policies of one run.

    Args:
        env: Environments that the episodes run in.
        seed: The run's seed.
        folder: Folder that stores the outcomes.
    """

    def __init__(self, env: Episodic, seed: int, folder: RunFolder) -> None:
        self._env, self._seed, self._folder = env, seed, folder

    def __call__(self, title: str, name: str, agent: BatchPolicy, stream: str, theta: Array) -> Outcomes:
        """Evaluate on a stream's seed, or read it from the folder.

        Args:
            title: Shown while it runs.
            name: Stem of the file.
            agent: The policy.
            stream: Random stream of the episodes (:mod:`.seeding`).
            theta: Initial states, shape (n, 9).

        Returns:
            The outcomes.
        """
        seed = stream_seed(self._env.task.name, stream, self._seed, 0)

        def make() -> Outcomes:
            with stage(title) as update:
                result = evaluate(self._env, agent, theta, seed, update)
                update(1.0, str(result.rate))
            return result

        return self._folder.outcomes(name, make, theta)
