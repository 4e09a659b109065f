"""The refinement loop of the paper, closed: the success model is refitted every round and the best policy is kept.

evaluate -> fit success model -> acquire -> PPO -> validate, again; then mixture on fresh successes, test, bundle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import write_bundle
from refinery.config import to_mapping
from refinery.mixture import Mixture
from refinery.statistics import Rate, paired_p_value
from refinery.success_model import SuccessModel
from refinery.task import Task
from refinery_sim_train.console import stage
from refinery_sim_train.env.insertion_env import InsertionEnv
from refinery_sim_train.export_onnx import export_policy
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.learn.ppo import PpoProgress, train_ppo
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.acquire import Acquirer
from refinery_sim_train.refine.config import RefineSpec, stream_seed
from refinery_sim_train.refine.evaluate import Outcomes, evaluate
from refinery_sim_train.refine.mixture_fit import fit_mixture
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.refine.success_fit import cross_validated_bits, fit_success_model


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A policy tested and written as a bundle."""

    task: Task
    """What was inserted."""
    bundle: Path
    """The bundle written."""
    base: Outcomes
    """Base policy on the test seeds, uniform starts."""
    refined: Outcomes
    """Refined policy on the same test seeds and starts."""
    final_model: SuccessModel
    """Success model of the refined policy."""
    mixture: Mixture
    """Mixture over the refined policy's successes."""
    env_steps: int
    """Environment steps spent, evaluation for the models included."""
    p_value: float
    """Exact McNemar test of refined against base on common seeds."""


@dataclass(frozen=True, kw_only=True)
class RefineResult(Packaged):
    """What a run produced."""

    base_model: SuccessModel
    """Success model of the base policy."""
    structure_bits: float
    """Held-out bits per rollout the base's success model gains over a constant."""


class Refinement:
    """One run.

    Args:
        task: What is inserted.
        env: Environment of the task.
        base: Base policy; not changed.
        spec: Settings.
        seed: Of everything.
        folder: Where stages are kept.
    """

    def __init__(
        self, task: Task, env: InsertionEnv, base: Agent, spec: RefineSpec, seed: int, folder: RunFolder
    ) -> None:
        self._task, self._env, self._base = task, env, base
        self._spec, self._seed, self._folder = spec, seed, folder
        self._box = task.initial_state.deployed

    def run(self, bundle: Path, say: Callable[[str], None]) -> RefineResult:
        """Refine, fit, test and write the bundle.

        Args:
            bundle: Where the bundle goes.
            say: Called with a sentence after each stage that decides something.

        Returns:
            The results.
        """
        spec, steps = self._spec, self._task.control.episode_steps
        best, current = self._base, self._base
        best_rate = self._measure("base on validation seeds", "validation_base", best, "validation", 0).rate
        history = [best_rate.value]
        spent, kept_round = 0, 0
        base_model: SuccessModel | None = None
        bits = float("nan")
        for index in range(1, spec.rounds + 1):
            seen = self._measure(f"round {index}: where does it fail?", f"search_{index}", current, "search", index)
            spent += len(seen.theta) * steps
            fit_seed = stream_seed("fit", self._seed, index) % 2**31
            model = fit_success_model(self._box, seen.theta, seen.strict, spec.success_fit, fit_seed)
            if base_model is None:
                base_model = model
                bits = cross_validated_bits(self._box, seen.theta, seen.strict, spec.success_fit, fit_seed)
                say(f"structure: the model of initial states gains {bits:+.3f} bits per rollout on held-out episodes")
            current = self._fine_tune(index, current, model)
            spent += spec.env_steps_per_round
            rate = self._measure(f"round {index}: validate", f"validation_{index}", current, "validation", 0).rate
            history.append(rate.value)
            if rate.value > best_rate.value:
                best, best_rate, kept_round = current, rate, index
            say(f"round {index}: {rate} on validation seeds; best so far: round {kept_round}")
            lately = history[-spec.converged_rounds :]
            if len(lately) == spec.converged_rounds and max(lately) - min(lately) < spec.converged_variation:
                say(f"converged: success varied by less than {100 * spec.converged_variation:.0f} points lately")
                break
        packed = self.package(bundle, best, spent, {"kept_round": kept_round}, say)
        assert base_model is not None
        return RefineResult(base_model=base_model, structure_bits=bits, **vars(packed))

    def _measure(self, title: str, name: str, agent: Agent, stream: str, part: int) -> Outcomes:
        """Evaluate on uniform starts of a stream, or read it from the folder."""
        counts = {"search": self._spec.search_episodes, "mixture": self._spec.search_episodes}
        counts |= {"validation": self._spec.validation_episodes, "test": self._spec.test_episodes}

        def make() -> Outcomes:
            seed = stream_seed(stream, self._seed, part)
            theta = self._box.uniform(counts[stream], np.random.default_rng([seed, 1]))
            with stage(title) as update:
                result = evaluate(self._env, agent.act, theta, seed, update)
                update(1.0, str(result.rate))
            return result

        return self._folder.outcomes(name, make)

    def _fine_tune(self, index: int, start: Agent, model: SuccessModel) -> Agent:
        """PPO from ``start`` on acquired initial states."""
        spec = self._spec

        def make() -> Agent:
            start.save(self._folder.path / "before_tuning.npz")
            agent = Agent.load(self._folder.path / "before_tuning.npz")
            train_seed = stream_seed("train", self._seed, index)
            source = Acquirer(model, self._box, spec.acquisition, train_seed)
            log = self._folder.path / f"ppo_{index}.jsonl"
            log.unlink(missing_ok=True)
            with stage(f"round {index}: fine-tune where it fails") as update:

                def report(progress: PpoProgress) -> None:
                    note = f"{progress.env_steps} steps, {100 * progress.success:.0f} % on the starts trained on"
                    update(progress.env_steps / spec.env_steps_per_round, note)

                train_ppo(
                    agent,
                    self._env,
                    source,
                    spec.ppo,
                    env_steps=spec.env_steps_per_round,
                    seed=train_seed % 2**31,
                    report=report,
                    log=log,
                )
            return agent

        return self._folder.agent(f"agent_{index}", make)

    def package(
        self, bundle: Path, best: Agent, spent: int, notes: dict[str, Any], say: Callable[[str], None]
    ) -> Packaged:
        """Fit the mixture on fresh episodes of a policy, test it against the base, export and write the bundle.

        Args:
            bundle: Where the bundle goes.
            best: The policy to ship.
            spent: Environment steps that went into it.
            notes: Added to the provenance.
            say: Called with the bundle's path.

        Returns:
            What was written and measured.
        """
        spec, task = self._spec, self._task
        fresh = self._measure("refined: where does it win?", "mixture", best, "mixture", 0)
        fit_seed = stream_seed("fit", self._seed, 0) % 2**31
        final_model = fit_success_model(self._box, fresh.theta, fresh.strict, spec.success_fit, fit_seed)
        mixture, selection = fit_mixture(self._box, fresh.theta, fresh.strict, spec.mixture, fit_seed)
        base = self._measure("test: base", "test_base", self._base, "test", 0)
        refined = self._measure("test: refined", "test_refined", best, "test", 0)
        p_value = paired_p_value(base.strict, refined.strict)
        with stage("export and parity gate") as update:
            content, worst = export_policy(best, task, self._gate_observations(best))
            update(1.0, f"ONNX Runtime against torch: largest difference {worst:.1e} of full action")
        evaluation: dict[str, Any] = {
            "base": base.rate.to_json(),
            "refined": refined.rate.to_json(),
            "refined_engaged": Rate.of(refined.engaged).to_json(),
            "paired_p_value": p_value,
            "parity_max_error": worst,
            "conditions": "strict, uniform over the deployment box, test seeds",
        }
        write_bundle(
            bundle,
            name=f"{task.name}_seed{self._seed}",
            policy_onnx=content,
            task=task,
            mixture=mixture,
            success_model=final_model,
            successes=(fresh.rate.k, fresh.rate.n),
            selection=selection,
            provenance=provenance(seed=self._seed, env_steps=spent) | {"settings": to_mapping(spec)} | notes,
            evaluation=evaluation,
        )
        say(f"bundle: {bundle}")
        return Packaged(
            task=task,
            bundle=bundle,
            base=base,
            refined=refined,
            final_model=final_model,
            mixture=mixture,
            env_steps=spent,
            p_value=p_value,
        )

    def _gate_observations(self, agent: Agent) -> NDArray[np.float32]:
        """Record the observations of real episodes for the parity gate."""
        seed = stream_seed("validation", self._seed, 999)
        record: list[NDArray[np.float32]] = []
        theta = self._box.uniform(self._spec.gate_episodes, np.random.default_rng(seed))
        evaluate(self._env, agent.act, theta, seed, record=record)
        return np.concatenate(record)
