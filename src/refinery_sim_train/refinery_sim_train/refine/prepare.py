"""Set up a refinement run in its folder, as ``refine`` and the study run it."""

from __future__ import annotations

from pathlib import Path

from refinery.config import to_mapping
from refinery.task import Task
from refinery_sim_train.env.simulator_args import SimulatorArgs
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.refine.loop import Refinement
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.weights import WeightsArgs, base_of, load_weights


def prepare_refinement(
    task: Task,
    spec: RefineSpec,
    weights: WeightsArgs,
    *,
    seed: int,
    out: Path,
    base: Path | None = None,
    resume: bool = False,
    simulator: SimulatorArgs | None = None,
) -> Refinement:
    """Load the base policy, open the run's folder and return the run.

    Args:
        task: The insertion task.
        spec: Settings of the run.
        weights: Options on weights trained with other control settings.
        seed: The run's seed.
        out: Run folder; created.
        base: Weights of the base policy; None takes the shipped ones, or else those of ``train_base``.
        resume: Go on with a run of the same identity that is there.
        simulator: Which simulator steps the physics, part of the run's identity; None takes the default.

    Raises:
        RefineryError: There is no such simulator, the weights cannot be used with the task, or the folder holds
            another run.
    """
    chosen = simulator or SimulatorArgs()
    base_file = base or base_of(task)
    policy = load_weights(base_file, task, weights)
    identity = {
        "task": to_mapping(task),
        "task_hash": task.hash(),
        "settings": to_mapping(spec),
        "seed": seed,
        "base": base_file.name,
        "base_trained_with": to_mapping(policy.trained_with),
        "simulator": chosen.simulator.to_json(),
    }
    return Refinement(
        task,
        lambda: chosen.make_env(task, spec.environments),
        policy,
        spec,
        seed,
        RunFolder(out, identity, resume=resume),
        accept_other_gains=weights.accept_other_gains,
    )
