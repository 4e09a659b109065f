"""Run one unit of the study; everything random comes from the unit's own seeds, so any order gives the same result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from experiments.study.plan import VARIANT, StudySpec, Unit, identity, unit_identity
from experiments.study.records import Records, pack_outcomes, unpack_outcomes
from refinery.errors import RefineryError
from refinery.initial_state import Box
from refinery.rotations import Array
from refinery_sim_train.env.make_env import make_env
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.evaluate import Outcomes, evaluate
from refinery_sim_train.refine.fine_tune import FineTuning
from refinery_sim_train.refine.package import SHIPPED_RULES
from refinery_sim_train.refine.seeding import drawn_starts, stream_seed, uniform_starts
from refinery_sim_train.refine.sources import GuidedSource, PickedSource, ResampledSource, UniformSource
from refinery_sim_train.refine.start_rules import fit_start_rules
from refinery_sim_train.refine.structure import measure_structure
from refinery_sim_train.refine.success_fit import fit_success_model
from refinery_sim_train.settings import read_task
from refinery_sim_train.weights import WeightsArgs, load_weights, shipped_base

Report = Callable[[float], None]
BAD_BELOW = 0.5
"""Predicted success under which an initial state counts into the bad region."""


class Work:
    """Runs the units of one task in one process.

    Args:
        spec: Settings of the study.
        task: Name of the task.
        results: Folder of the results.
        scratch: Folder of weights and the state of unfinished units.
        weights: Options on base policies trained with other control settings.
    """

    def __init__(self, spec: StudySpec, task: str, results: Path, scratch: Path, weights: WeightsArgs) -> None:
        # One process a core: libraries that start threads of their own would only get in each other's way.
        torch.set_num_threads(1)
        threadpool_limits(1)
        self._spec, self._task = spec, read_task(task)
        self._box = self._task.initial_state.deployed
        self._records, self._scratch = Records(results), scratch / task
        base = shipped_base(self._task)
        self._base, self._identity = load_weights(base, self._task, weights), identity(spec, self._task, base)
        self._env = make_env(self._task, spec.environments, threads=1)

    def run(self, unit: Unit) -> dict[str, Any]:
        """Run a unit unless its result is there, and return the result."""
        mark = unit_identity(self._identity, self._spec, unit)
        if self._records.done(unit, mark):
            return self._records.load(unit) or {}
        began = time.monotonic()
        record = {"base": self._run_base, "tune": self._run_tune, "starts": self._run_starts}[unit.kind](unit)
        facts = provenance(seed=unit.seed, env_steps=int(record.get("env_steps", 0)))
        kept = {key: facts[key] for key in ("git_revision", "dirty", "date", "machine", "seed")}
        result = {
            "task": unit.task,
            "unit": unit.name,
            "identity": mark,
            "seconds": round(time.monotonic() - began, 1),
            **kept,
            **record,
        }
        self._records.save(unit, result)
        return result

    def _run_base(self, unit: Unit) -> dict[str, Any]:
        """The base policy: both boxes, mean and sampled actions, and structure."""
        spec, state, name = self._spec, self._task.initial_state, self._task.name
        seeds = range(max(spec.seeds, spec.versus_seeds if unit.task in spec.versus_tasks else 0))
        deployed = [self._evaluate(self._base, self._test_theta(seed), "test", seed) for seed in seeds]
        std = self._base.action_std
        sampled = self._evaluate(self._base, self._test_theta(0), "test", 0, action_std=std)
        trained = self._evaluate(
            self._base, uniform_starts(name, state.trained, spec.test_episodes, "test", 0), "test", 0
        )
        searched = self._evaluate(
            self._base, uniform_starts(name, self._box, spec.structure_episodes, "search", 0), "search", 0
        )
        structure = measure_structure(
            self._box, searched.theta, searched.strict, spec.success_fit, seed=0, permutations=spec.permutations
        )
        model = fit_success_model(self._box, searched.theta, searched.strict, spec.success_fit, 0)
        predicted = model.predict(self._box.uniform(20_000, np.random.default_rng(0))).mean
        return {
            "test": [pack_outcomes(outcomes.strict) for outcomes in deployed],
            "engaged": pack_outcomes(np.concatenate([outcomes.engaged for outcomes in deployed])),
            "sampled_action": pack_outcomes(sampled.strict),
            "trained_box": pack_outcomes(trained.strict),
            "curve_start": [self._curve_point(outcomes) for outcomes in deployed],
            "structure_on": pack_outcomes(searched.strict),
            "structure": structure.to_json(),
            "bad_region_share": round(float(np.mean(predicted < BAD_BELOW)), 4),
            "length_scales": dict(zip(self._box.free_names, np.round(model.length_scales, 3).tolist(), strict=True)),
            "marginals": _marginals(self._box, searched),
        }

    def _run_tune(self, unit: Unit) -> dict[str, Any]:
        """Fine-tune with one arm and measure its learning curve."""
        spec = self._spec
        folder = self._agent_file(unit).parent
        tuning = FineTuning(
            self._base,
            make_env(self._task, spec.environments, threads=1),
            self._source(unit.arm),
            spec.ppo,
            seed=stream_seed(self._task.name, "train", unit.seed, 1) % 2**31,
            rounds=spec.rounds,
            iterations_per_round=spec.iterations_per_round,
            folder=folder,
        )
        for index in range(1, spec.rounds + 1):
            if tuning.rounds < index:
                tuning.round()
            # Also where a kill came between the training's state and its policy.
            if tuning.rounds == index and index in spec.curve_rounds:
                tuning.agent.save(folder / f"round_{index}.npz")
        tuning.close()
        tuning.agent.save(self._agent_file(unit))
        theta, curve = self._test_theta(unit.seed), []
        for index in spec.curve_rounds:
            agent = self._load(folder / f"round_{index}.npz")
            point = self._evaluate(agent, theta[: spec.curve_episodes], "test", unit.seed)
            curve.append({"env_steps": index * spec.steps_per_round, **self._curve_point(point)})
        test = self._evaluate(tuning.agent, theta, "test", unit.seed)
        curve.append({"env_steps": tuning.env_steps, **self._curve_point(test)})
        return {
            "env_steps": tuning.env_steps,
            "evaluation_steps_for_guidance": 0,
            "curve": curve,
            "test": pack_outcomes(test.strict),
            "engaged": pack_outcomes(test.engaged),
        }

    def _source(self, arm: str) -> UniformSource:
        spec = self._spec
        if arm == "uniform":
            return UniformSource(self._box)
        if arm == "resampled":
            return ResampledSource(self._box, spec.window, spec.control_uniform_share)
        if arm == "oracle":
            return PickedSource(self._box, self._oracle_starts(), spec.control_uniform_share)
        acquisition = spec.variants[arm.removeprefix(VARIANT)] if arm.startswith(VARIANT) else spec.acquisition
        return GuidedSource(self._box, spec.window, acquisition, spec.success_fit)

    def _oracle_starts(self) -> Array:
        """Initial states where the base policy fails, by a model of episodes that no arm's steps include."""
        base = self.run(Unit(task=self._task.name, kind="base"))
        theta = uniform_starts(self._task.name, self._box, self._spec.structure_episodes, "search", 0)
        model = fit_success_model(self._box, theta, unpack_outcomes(base["structure_on"]), self._spec.success_fit, 0)
        candidates = self._box.uniform(20_000, np.random.default_rng(0))
        predicted = model.predict(candidates).mean
        bad = candidates[predicted < self._spec.oracle_below]
        return bad if len(bad) else candidates[np.argsort(predicted)[:100]]

    def _run_starts(self, unit: Unit) -> dict[str, Any]:
        """Fit the start rules on the refined policy and test every one of them."""
        spec = self._spec
        tuned = Unit(task=unit.task, kind="tune", arm="guided", seed=unit.seed)
        if not self._agent_file(tuned).exists():
            self._records.file(tuned).unlink(missing_ok=True)
        uniform = self.run(tuned)["test"]
        agent = self._load(self._agent_file(tuned))
        theta = uniform_starts(self._task.name, self._box, spec.start_episodes, "mixture", unit.seed)
        fresh = self._evaluate(agent, theta, "mixture", unit.seed)
        seed = stream_seed(self._task.name, "fit", unit.seed, 0) % 2**31
        model = fit_success_model(self._box, fresh.theta, fresh.strict, spec.success_fit, seed)
        rules = fit_start_rules(self._box, fresh.theta, fresh.strict, model, spec.mixture, spec.starts, seed)
        choice = {}
        for name in SHIPPED_RULES:
            drawn = drawn_starts(self._task.name, rules.draws[name], spec.choice_episodes, "starts", unit.seed)
            choice[name] = pack_outcomes(self._evaluate(agent, drawn, "starts", unit.seed).strict)
        tested, calibration, spread = {}, {}, {}
        for name, draw in rules.draws.items():
            # Uniform starts are what the fine-tuning was tested on.
            drawn = self._test_theta(unit.seed)[: spec.start_test_episodes]
            success = unpack_outcomes(uniform)[: spec.start_test_episodes]
            if name != "uniform":
                drawn = drawn_starts(self._task.name, draw, spec.start_test_episodes, "test", unit.seed)
                success = self._evaluate(agent, drawn, "test", unit.seed).strict
            tested[name] = pack_outcomes(success)
            calibration[name] = _calibration(model.predict(drawn).mean, success)
            spread[name] = np.round(self._box.to_unit(drawn).std(axis=0) * np.sqrt(12), 3).tolist()
        return {
            "fitted_on": pack_outcomes(fresh.strict),
            "choice": choice,
            "chosen": max(choice, key=lambda name: choice[name]["k"]),
            "test": tested,
            "calibration": calibration,
            "spread_over_uniform": spread,
        }

    @staticmethod
    def _load(file: Path) -> Agent:
        try:
            return Agent.load(file)
        except RefineryError as error:
            raise RefineryError(f"{error}; delete {file.parent} to train it again, to the same policy") from error

    def _agent_file(self, unit: Unit) -> Path:
        return self._scratch / f"{unit.name}_{unit_identity(self._identity, self._spec, unit)}" / "final.npz"

    def _test_theta(self, seed: int) -> Array:
        return uniform_starts(self._task.name, self._box, self._spec.test_episodes, "test", seed)

    def _curve_point(self, outcomes: Outcomes) -> dict[str, Any]:
        """The first test episodes: a curve's points are paired, and its last one costs nothing."""
        return pack_outcomes(outcomes.strict[: self._spec.curve_episodes])

    def _evaluate(self, agent: Agent, theta: Array, stream: str, seed: int, *, action_std: float = 0.0) -> Outcomes:
        drawn = stream_seed(self._task.name, stream, seed, 0)
        return evaluate(self._env, agent, theta, drawn, action_std=action_std)


def _marginals(box: Box, outcomes: Outcomes) -> dict[str, list[float]]:
    """Success in eight equal slices of every dimension."""
    slices = np.minimum((box.to_unit(outcomes.theta) * 8).astype(int), 7)
    return {
        name: [round(float(outcomes.strict[slices[:, i] == j].mean()), 3) for j in range(8)]
        for i, name in enumerate(box.free_names)
    }


def _calibration(predicted: Array, success: NDArray[np.bool_]) -> dict[str, float]:
    """Predicted against measured success of a rule's samples."""
    return {"predicted": round(float(predicted.mean()), 4), "measured": round(float(success.mean()), 4)}
