"""The refinement loop of the paper, closed: success model, acquisition and PPO in rounds; the best policy is kept.

Where episodes start (:mod:`.sources`) is refitted every round on the newest episodes of the training itself (the base's
own search first), so that it follows the policy. Validation picks the policy; then start rules, test and bundle
(:mod:`.package`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from refinery.errors import RefineryError
from refinery.rotations import Array
from refinery.success_model import SuccessModel
from refinery.task import Task
from refinery_sim_train.console import stage
from refinery_sim_train.env.episodic import Episodic
from refinery_sim_train.learn.agent import Agent
from refinery_sim_train.learn.ppo import PpoProgress
from refinery_sim_train.refine.config import RefineSpec
from refinery_sim_train.refine.evaluate import Outcomes
from refinery_sim_train.refine.evaluator import Evaluator
from refinery_sim_train.refine.fine_tune import FineTuning
from refinery_sim_train.refine.guidance import GuidanceEvidence, hard_region_note, in_hard_region, measure_guidance
from refinery_sim_train.refine.package import Packaged, Packager
from refinery_sim_train.refine.run_folder import RunFolder
from refinery_sim_train.refine.seeding import stream_seed, uniform_starts
from refinery_sim_train.refine.sources import RevocableSource, UniformSource, training_source
from refinery_sim_train.refine.start_policy import clip_pays, clipped, ready_to_learn
from refinery_sim_train.refine.success_fit import fit_success_model


@dataclass(frozen=True, kw_only=True)
class RefineResult(Packaged):
    """Results of a run."""

    base_model: SuccessModel
    """Success model of the base policy, with clip if that is what was refined."""
    structure_bits: float
    """Held-out bits per rollout the base's success model gains over a constant."""
    clip_chosen: bool
    """Whether the base with clipped observations was refined."""

    @property
    def start(self) -> Outcomes:
        """Test episodes of the policy that was refined."""
        return self.clipped if self.clip_chosen and self.clipped is not None else self.base


class Refinement:
    """One run.

    Args:
        task: The insertion task.
        make_env: Builds an environment of the task; training keeps one, evaluation another.
        base: Base policy; not changed.
        spec: Settings.
        seed: The run's seed.
        folder: Folder that stores the finished stages.
        accept_other_gains: The base may have been trained with other control settings than the task's. What is trained
            here is trained with the task's.
    """

    def __init__(
        self,
        task: Task,
        make_env: Callable[[], Episodic],
        base: Agent,
        spec: RefineSpec,
        seed: int,
        folder: RunFolder,
        *,
        accept_other_gains: bool = False,
    ) -> None:
        self._task, self._make_env, self._base = task, make_env, base
        self._spec, self._seed, self._folder = spec, seed, folder
        self._box = task.initial_state.deployed
        env = make_env()
        self._evaluate = Evaluator(env, seed, folder)
        self._clipped = clipped(base, spec.observation_clip)
        self.packager = Packager(
            task, env, base, spec, seed, folder, clipped=self._clipped, accept_other_gains=accept_other_gains
        )
        """Fits start rules, tests and writes the bundle."""

    def run(self, bundle: Path, log: Callable[[str], None]) -> RefineResult:
        """Refine, fit, test and write the bundle.

        Args:
            bundle: Folder to write the bundle to.
            log: Called with a line after each stage that decides something.

        Returns:
            The results.
        """
        spec = self._spec
        starts = uniform_starts(self._task.name, self._box, spec.search_episodes, "search", self._seed)
        start, outcomes, searches = self._search(starts, log)
        fit_seed = stream_seed(self._task.name, "fit", self._seed, 1) % 2**31
        base_model = fit_success_model(self._box, outcomes.theta, outcomes.strict, spec.success_fit, fit_seed)
        evidence = measure_guidance(self._box, outcomes.theta, outcomes.strict, spec.success_fit, fit_seed)
        log(f"structure: the model of initial states gains {evidence.bits:+.3f} bits per rollout on held-out episodes")
        source = self._source(evidence, base_model, outcomes, log)
        search_steps = searches * len(outcomes.theta) * self._task.control.episode_steps
        best, validated, trained, kept_round = self._rounds(start, source, log)
        hard = validated.strict[in_hard_region(base_model, validated.theta)]
        log(hard_region_note(hard))
        notes = {
            "kept_round": kept_round,
            "observation_clip": best.spec.observation_clip,
            "guidance": vars(evidence) | {"pays": evidence.pays},
            "hard_region": {"k": int(hard.sum()), "n": len(hard)},
        }
        packed = self.packager.package(bundle, best, search_steps + trained, notes, log)
        clip_chosen = start is not self._base
        return RefineResult(
            base_model=base_model, structure_bits=evidence.bits, clip_chosen=clip_chosen, **vars(packed)
        )

    def _search(self, starts: Array, log: Callable[[str], None]) -> tuple[Agent, Outcomes, int]:
        """Run the base, and with clipped observations; the better policy, its outcomes and the number of runs."""
        outcomes = self._evaluate("base: where does it fail?", "search", self._base, "search", starts)
        if self._clipped is None:
            return self._base, outcomes, 1
        title = "base, observations clipped: where does it fail?"
        clipped_outcomes = self._evaluate(title, "search_clipped", self._clipped, "search", starts)
        pays, reason = clip_pays(outcomes, clipped_outcomes)
        log(reason)
        return (self._clipped, clipped_outcomes, 2) if pays else (self._base, outcomes, 2)

    def _source(
        self, evidence: GuidanceEvidence, model: SuccessModel, outcomes: Outcomes, log: Callable[[str], None]
    ) -> UniformSource:
        """Make the source of training starts, which has seen the search episodes."""
        spec = self._spec
        if spec.source != "auto":
            source = training_source(spec.source, self._box, spec.window, spec.acquisition, spec.success_fit)
            source.observe(outcomes.theta, outcomes.strict)
            return source
        log(str(evidence))
        if not evidence.pays:
            return UniformSource(self._box)
        return RevocableSource(self._box, spec.window, spec.success_fit, model, outcomes.theta, outcomes.strict)

    def _rounds(
        self, start: Agent, source: UniformSource, log: Callable[[str], None]
    ) -> tuple[Agent, Outcomes, int, int]:
        """Fine-tune in rounds; the best policy, its validation, the steps of all training and the round kept.

        What is kept is never worse on validation than the base, with clip or without.
        """
        spec = self._spec
        # Built only if a policy is missing: finished rounds need no training.
        training = cache(partial(self._training, start, source))
        best, kept_round = self._base, 0
        best_found = self._validate("base", self._base)
        if self._clipped is not None:
            found = self._validate("base clipped", self._clipped)
            if found.rate.value > best_found.rate.value:
                best, best_found = self._clipped, found
        history = [best_found.rate.value]
        for index in range(spec.validate_every, spec.rounds + 1, spec.validate_every):
            agent = self._folder.agent(f"agent_{index}", partial(self._tune, training, index))
            found = self._validate(f"round {index}", agent)
            history.append(found.rate.value)
            if found.rate.value > best_found.rate.value:
                best, best_found, kept_round = agent, found, index
            log(f"round {index}: {found.rate} on validation seeds; best so far: round {kept_round}")
            lately = history[-spec.converged_rounds :]
            if len(lately) == spec.converged_rounds and max(lately) - min(lately) < spec.converged_variation:
                log(f"converged: success varied by less than {100 * spec.converged_variation:.0f} points lately")
                break
        if training.cache_info().currsize:
            training().close()
        return best, best_found, index * self.steps_per_round, kept_round

    @property
    def steps_per_round(self) -> int:
        """Environment steps of a round."""
        return self._spec.iterations_per_round * self._spec.environments * self._spec.ppo.num_steps_per_env

    def _training(self, start: Agent, source: UniformSource) -> FineTuning:
        """Start the training, or resume it."""
        spec = self._spec
        seed = stream_seed(self._task.name, "train", self._seed, 1) % 2**31
        learner = ready_to_learn(
            start,
            clock_steps=spec.clock_steps,
            lstm=spec.lstm,
            episode_steps=self._task.control.episode_steps,
            seed=seed,
        )
        return FineTuning(
            learner,
            self._make_env(),
            source,
            spec.ppo,
            seed=seed,
            rounds=spec.rounds,
            iterations_per_round=spec.iterations_per_round,
            folder=self._folder.path / "fine_tuning",
        )

    def _tune(self, training: Callable[[], FineTuning], upto: int) -> Agent:
        tuning = training()
        if tuning.rounds > upto:
            raise RefineryError(
                f"{self._folder.path / f'agent_{upto}.npz'}: expected the policy of round {upto}, got none, and the "
                f"training is at round {tuning.rounds}; put a copy back, or delete "
                f"{self._folder.path / 'fine_tuning'} to train again from the beginning, to the same policy"
            )
        first = upto - self._spec.validate_every
        with stage(f"rounds {first + 1} to {upto}: fine-tune ({self._spec.source} starts)") as update:

            def report(progress: PpoProgress) -> None:
                note = f"{progress.env_steps} steps, {100 * progress.success:.0f} % on the starts trained on"
                done = progress.env_steps / self.steps_per_round - first
                update(done / self._spec.validate_every, note)

            while tuning.rounds < upto:
                tuning.round(report)
        return tuning.agent.copy()

    def _validate(self, who: str, agent: Agent) -> Outcomes:
        name = f"validation_{who.replace(' ', '_')}"
        count = self._spec.validation_episodes
        starts = uniform_starts(self._task.name, self._box, count, "validation", self._seed)
        return self._evaluate(f"{who}: validate", name, agent, "validation", starts)
