"""From a policy to a bundle: fit the start rules, pick one on validation seeds, test, export behind the parity gate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from refinery.bundle import ObservationStatistics, write_bundle
from refinery.config import to_mapping
from refinery.mixture import Mixture
from refinery.rotations import Array
from refinery.statistics import Rate, paired_p_value
from refinery.success_model import SuccessModel
from refinery.task import Task
from refinery_sim.part import part_geometry
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodic import Episodic
from refinery_sim_train.export_onnx import export_policy
from refinery_sim_train.learn.deployed import Policy
from refinery_sim_train.learn.sequences import whole_episodes
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.refine.evaluate import Outcomes, evaluate
from refinery_sim_train.refine.evaluator import Evaluator
from refinery_sim_train.refine.observation_statistics_fit import fit_observation_statistics, needed_episodes
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.refine.seeding import drawn_starts, stream_seed, uniform_starts
from refinery_sim_train.refine.start_rules import StartRules, fit_start_rules
from refinery_sim_train.refine.success_fit import fit_success_model

SHIPPED_RULES = {"mixture": "mixture_ranked", "superlevel": "superlevel_ranked"}
"""Rules that a bundle can carry (a mixture to draw from, ranked by the success model), and their names there."""


@dataclass(frozen=True, kw_only=True)
class Packaged:
    """A policy tested and written as a bundle."""

    task: Task
    """The insertion task."""
    bundle: Path
    """The bundle written."""
    base: Outcomes
    """Base policy on the test seeds, uniform starts."""
    clipped: Outcomes | None
    """Base policy with clipped observations on the same test seeds and starts; None where that was not tried."""
    refined: Outcomes
    """Refined policy on the same test seeds and starts."""
    started: Outcomes
    """Refined policy from starts of the shipped rule, test seeds."""
    final_model: SuccessModel
    """Success model of the refined policy."""
    mixture: Mixture
    """The mixture shipped."""
    rule: str
    """Name of the shipped rule."""
    env_steps: int
    """Environment steps spent, evaluation for the models included."""
    p_value: float
    """Exact McNemar test of refined against base on common seeds."""

    @property
    def stronger(self) -> Outcomes:
        """The stronger of base and base with clip, which gains are measured against."""
        return max((self.base, self.clipped or self.base), key=lambda outcomes: outcomes.rate.value)


class Packager:
    """Packages policies of one run.

    Args:
        task: The insertion task.
        env: Environments for evaluation.
        base: Base policy to compare with.
        spec: Settings.
        seed: The run's seed.
        folder: Folder that stores the finished stages.
        clipped: The base with clipped observations, to compare with as well.
        accept_other_gains: Policies may have been trained with other control settings than the task's; bundles say so.
    """

    def __init__(
        self,
        task: Task,
        env: Episodic,
        base: Policy,
        spec: RefineSpec,
        seed: int,
        folder: RunFolder,
        *,
        clipped: Policy | None = None,
        accept_other_gains: bool = False,
    ) -> None:
        self._task, self._env, self._base, self._clipped = task, env, base, clipped
        self._spec, self._seed, self._accept = spec, seed, accept_other_gains
        self._box = task.initial_state.deployed
        self._evaluate = Evaluator(env, seed, folder)

    def package(
        self, bundle: Path, policy: Policy, spent: int, notes: dict[str, Any], log: Callable[[str], None]
    ) -> Packaged:
        """Fit the start rules on fresh episodes of a policy, test it against the base, export and write the bundle.

        Args:
            bundle: Folder to write the bundle to.
            policy: The policy to ship.
            spent: Environment steps that went into it.
            notes: Added to the provenance.
            log: Called with a line on the choice of rule and one with the bundle's path.

        Returns:
            The bundle's path and the measured outcomes.
        """
        spec, task = self._spec, self._task
        fresh = self._evaluate(
            "refined: successes to fit start rules on", "mixture", policy, "mixture", self._uniform("mixture")
        )
        fit_seed = stream_seed(task.name, "fit", self._seed, 0) % 2**31
        model = fit_success_model(self._box, fresh.theta, fresh.strict, spec.success_fit, fit_seed)
        rules = fit_start_rules(self._box, fresh.theta, fresh.strict, model, spec.mixture, spec.starts, fit_seed)
        rule = self._choose(policy, rules, log)
        base = self._evaluate("test: base", "test_base", self._base, "test", self._uniform("test"))
        clipped = None
        if self._clipped is not None:
            name = "test: base, observations clipped"
            clipped = self._evaluate(name, "test_clipped", self._clipped, "test", self._uniform("test"))
        refined = self._evaluate("test: refined", "test_refined", policy, "test", self._uniform("test"))
        starts = drawn_starts(task.name, rules.draws[rule], spec.test_episodes, "test", self._seed)
        started = self._evaluate(f"test: refined, starts by {rule}", "test_started", policy, "test", starts)
        p_value = paired_p_value(base.strict, refined.strict)
        with stage("export and parity gate") as update:
            episodes = self._gate_episodes(policy)
            content, worst = export_policy(policy, task, episodes, accept_other_gains=self._accept)
            update(1.0, f"ONNX Runtime against torch: largest difference {worst:.1e} of full action")
        statistics = self._observation_statistics(episodes, log)
        evaluation: dict[str, Any] = {
            "base": base.rate.to_json(),
            "refined": refined.rate.to_json(),
            "refined_engaged": Rate.of(refined.engaged).to_json(),
            "refined_started": started.rate.to_json(),
            "start_rule": rule,
            "paired_p_value": p_value,
            "parity_max_error": worst,
            **self._against(clipped, refined),
            "conditions": "strict, test seeds; uniform over the deployment box, 'started' by the start rule",
        }
        write_bundle(
            bundle,
            name=f"{task.name}_seed{self._seed}",
            policy_onnx=content,
            task=task,
            part=part_geometry(task),
            mixture=rules.mixtures[rule],
            rule=SHIPPED_RULES[rule],
            success_model=model,
            successes=(fresh.rate.k, fresh.rate.n),
            selection=rules.selections[rule],
            provenance=provenance(seed=self._seed, env_steps=spent)
            | {"settings": to_mapping(spec), "simulator": self._env.simulator.to_json(), **self._gains(policy)}
            | notes,
            evaluation=evaluation,
            envelope=statistics,
        )
        log(f"bundle: {bundle}")
        return Packaged(
            task=task,
            bundle=bundle,
            base=base,
            clipped=clipped,
            refined=refined,
            started=started,
            final_model=model,
            mixture=rules.mixtures[rule],
            rule=rule,
            env_steps=spent,
            p_value=p_value,
        )

    @staticmethod
    def _against(clipped: Outcomes | None, refined: Outcomes) -> dict[str, Any]:
        """The base with clip and what the refined policy gains over it, if it was tried."""
        if clipped is None:
            return {}
        p_value = paired_p_value(clipped.strict, refined.strict)
        return {"base_clipped": clipped.rate.to_json(), "paired_p_value_clipped": p_value}

    def _gains(self, policy: Policy) -> dict[str, Any]:
        """Settings that policy and base were trained with, for the manifest."""
        return {
            "trained_with": to_mapping(policy.trained_with),
            "base_trained_with": to_mapping(self._base.trained_with),
        }

    def _choose(self, policy: Policy, rules: StartRules, log: Callable[[str], None]) -> str:
        """The shippable rule with the highest success, on seeds that nothing else uses."""
        rates = {}
        for name in SHIPPED_RULES:
            draw, count = rules.draws[name], self._spec.validation_episodes
            theta = drawn_starts(self._task.name, draw, count, "starts", self._seed)
            rates[name] = self._evaluate(f"start rule {name}", f"starts_{name}", policy, "starts", theta).rate
        best = max(rates, key=lambda name: rates[name].value)
        rated = ", ".join(f"{name} {100 * rate.value:.1f} %" for name, rate in rates.items())
        log(f"start rule: {best} ({rated} on {self._spec.validation_episodes} episodes each)")
        return best

    def _observation_statistics(
        self, episodes: NDArray[np.float32], log: Callable[[str], None]
    ) -> ObservationStatistics | None:
        """Statistics of the observations (T, n, N) of the policy's own episodes; None if too few or not reliable."""
        statistics = fit_observation_statistics(episodes)
        if statistics is None:
            log(
                f"no observation statistics: {episodes.shape[1]} episodes of the {needed_episodes()} needed, or too "
                "many of those held out were outside; the policy node will run without"
            )
        else:
            stops = statistics.evidence["false_stops"]
            log(f"observation statistics: would have stopped {stops['k']} of {stops['n']} episodes held out")
        return statistics

    def _uniform(self, stream: str) -> Array:
        count = self._spec.mixture_episodes if stream == "mixture" else self._spec.test_episodes
        return uniform_starts(self._task.name, self._box, count, stream, self._seed)

    def _gate_episodes(self, agent: Policy) -> NDArray[np.float32]:
        """Record the observations of real episodes for the parity gate, shape (T, n, N)."""
        seed = stream_seed(self._task.name, "validation", self._seed, 999)
        record: list[NDArray[np.float32]] = []
        theta = self._box.uniform(self._spec.gate_episodes, np.random.default_rng(seed))
        evaluate(self._env, agent, theta, seed, record=record)
        # One group of episodes after another, each from its first step to its last.
        return whole_episodes(record, self._task.control.episode_steps)
