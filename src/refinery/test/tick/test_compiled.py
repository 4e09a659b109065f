"""The compiled tick does what its source does, to the last bit, and never runs in place of a source that was edited."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tick.any_inputs import ANY, any_inputs
from tick.interpreted_tick import interpreted_modules

from refinery.bundle import Bundle, ObservationStatistics, load_bundle
from refinery.observation import OBSERVATION_SIZE
from refinery.task import Task
from refinery.testing.bundles import constant_policy, recurrent_policy, tiny_bundle
from refinery.testing.lagging_cell import LaggingCell
from refinery.testing.samples import FIELDS, Sample
from refinery.tick import compiled, pose, runtime, samples
from refinery.tick.guard import GuardDecision, bounds
from refinery.tick.pose import Pose
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.tick_result import TickResult

PACKAGE = Path(__file__).parents[2] / "refinery"


class Interpreted:
    """The tick as Python."""

    def __init__(self) -> None:
        names = ("runtime", "samples", "pose", "guard.bounds")
        self.runtime, self.samples, self.pose, self.bounds = interpreted_modules(*names)
        modules: list[ModuleType] = [self.runtime, self.samples, self.pose, self.bounds]
        assert {Path(str(module.__file__)).suffix for module in modules} == {".py"}
        mine = [runtime, samples, pose, bounds]
        assert {Path(module.__file__).suffix for module in mine} == {".so"}, compiled.description()

    def sample(self, given: Sample) -> Sample:
        """Return the same inputs, or the same sample, of its own classes."""
        values = {name: getattr(given, name) for name in FIELDS[type(given)]}
        copied = {name: self.sample(value) if type(value) in FIELDS else value for name, value in values.items()}
        return getattr(self.samples, type(given).__name__)(**copied)


@pytest.fixture(scope="module")
def interpreted() -> Interpreted:
    """The tick as Python, beside the compiled one."""
    return Interpreted()


@pytest.fixture(scope="module")
def bundles(task: Task, bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Policies that seat the plug, run into bounds and remember; two of them know observations they were made for."""
    known = ObservationStatistics(
        low=np.full(OBSERVATION_SIZE, -3.0),
        high=np.full(OBSERVATION_SIZE, 3.0),
        mean=np.zeros(OBSERVATION_SIZE),
        std=np.ones(OBSERVATION_SIZE),
        whitening=np.eye(OBSERVATION_SIZE),
        max_distance=4.0,
        ticks=2,
    )
    policies = [constant_policy(np.ones(6)), constant_policy(np.array([1, -1, 1, -1, 1, -1])), recurrent_policy()]
    folder = tmp_path_factory.mktemp("bundles")
    made = [load_bundle(tiny_bundle(folder / str(i), task, policy)) for i, policy in enumerate(policies)]
    return [bundle, *made, dataclasses.replace(bundle, envelope=known), dataclasses.replace(made[2], envelope=known)]


def values_of(decision: GuardDecision) -> str:
    """A decision, by its values: each build has its own enumerations."""
    return repr((int(decision.level), int(decision.reason), decision.message))


def shown(result: TickResult) -> str:
    """A result to the last bit; repr() of a float is exact, and that of NaN equals itself."""
    observation = None if result.observation is None else result.observation.tobytes()
    target = (result.target.xyz_m, result.target.xyzw)
    return repr((target, values_of(result.decision), result.step, result.done, observation, result.action))


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_inputs_give_the_same_ticks(
    interpreted: Interpreted, bundles: list[Bundle], task: Task, data: st.DataObject
) -> None:
    bundle, fade_in_s = data.draw(st.sampled_from(bundles)), data.draw(st.sampled_from([0.0, 0.3]))
    ours = PolicyRuntime(bundle, fade_in_s=fade_in_s)
    theirs = interpreted.runtime.PolicyRuntime(bundle, fade_in_s=fade_in_s)
    box = task.initial_state.deployed
    theta = data.draw(arrays(float, 9, elements=st.floats(-0.1, 1.1)), label="start")
    cell = LaggingCell(task, data.draw(st.integers(0, 99), label="seed"), box.low + theta * (box.high - box.low))
    inputs = data.draw(any_inputs(cell), label="first") if data.draw(st.booleans()) else cell.inputs()
    with np.errstate(all="ignore"):
        decision = ours.start(inputs, cell.grasp)
        assert values_of(decision) == values_of(theirs.start(interpreted.sample(inputs), cell.grasp))
        if int(decision.level):
            return
        for _ in range(data.draw(st.integers(1, 12), label="ticks")):
            inputs = data.draw(any_inputs(cell), label="inputs")
            late_s = data.draw(st.sampled_from([0.0, 0.0, 0.2, float("nan")]), label="late")
            result = ours.tick(inputs, late_s=late_s)
            assert shown(result) == shown(theirs.tick(interpreted.sample(inputs), late_s=late_s))
            cell.follow(result.target)
        assert values_of(ours.guard.rearm(inputs)) == values_of(theirs.guard.rearm(interpreted.sample(inputs)))


@given(numbers=st.tuples(*[ANY | st.floats(-0.02, 0.02)] * 7), turns=arrays(float, 9, elements=st.floats(-0.3, 0.3)))
def test_any_target_is_clipped_the_same(
    interpreted: Interpreted, task: Task, numbers: tuple[float, ...], turns: np.ndarray
) -> None:
    x, y, z, *quat = numbers
    a, b, c, d, e, f, g, h, i = turns.tolist()
    clipped = []
    for poses, limits in ((pose, bounds), (interpreted.pose, interpreted.bounds)):

        def turned(v: tuple[float, float, float], made: type[Pose] = poses.Pose, of: ModuleType = poses) -> Pose:
            return made((0.01 * v[0], 0.01 * v[1], 0.01 * v[2]), of.quat_of(v))

        # One that is no orientation, and one next to the measured one.
        for xyzw in (tuple(quat), poses.quat_of((g, h, i))):
            target = poses.Pose((x, y, z), xyzw)
            got = limits.TargetBounds(task).clip(target, turned((a, b, c)), turned((d, e, f)), turned((b, d, f)))
            moved = None if got.target is None else (got.target.xyz_m, got.target.xyzw)
            clipped.append(repr((moved, int(got.reason), got.problem)))
    assert clipped[:2] == clipped[2:]


def test_recorded_episodes_give_the_same_targets(interpreted: Interpreted, bundles: list[Bundle], task: Task) -> None:
    for seed, bundle in enumerate(bundles[:4]):
        ours, theirs = PolicyRuntime(bundle), interpreted.runtime.PolicyRuntime(bundle)
        cell = LaggingCell(task, seed)
        inputs = cell.inputs()
        ours.start(inputs, cell.grasp)
        theirs.start(interpreted.sample(inputs), cell.grasp)
        done = False
        while not done:
            result, again = ours.tick(inputs), theirs.tick(interpreted.sample(inputs))
            np.testing.assert_allclose(result.target.xyz_m, again.target.xyz_m, rtol=0, atol=1e-12)
            np.testing.assert_allclose(result.target.xyzw, again.target.xyzw, rtol=0, atol=1e-12)
            assert result.done == again.done
            done = result.done
            cell.follow(result.target)
            inputs = cell.inputs()


FOUND = """
from importlib.util import find_spec
from refinery.tick import compiled
print(find_spec("refinery.tick.pose").origin, compiled.description(), sep="\\n")
"""
ANSWER = "from refinery.tick import pose; print(pose.finite(1.0))"


def said_by(root: Path, code: str = FOUND, **environ: str) -> list[str]:
    """Run code with a copy of the package in a new process; by default it says where a module is from, and why."""
    path = os.pathsep.join([str(root), os.environ["PYTHONPATH"]])
    env = {**os.environ, "PYTHONPATH": path, **environ}
    answer = subprocess.run([sys.executable, "-c", code], env=env, cwd=root, capture_output=True, text=True, check=True)
    return answer.stdout.splitlines()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with a copy of the package."""
    shutil.copytree(PACKAGE, tmp_path / "refinery", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_an_edit_is_never_hidden_by_what_was_compiled_before_it(copy: Path) -> None:
    file, description = said_by(copy)
    assert (Path(file).suffix, description) == (".so", "compiled")
    source = copy / "refinery" / "tick" / "pose.py"
    source.write_text(source.read_text().replace("return value - value == 0.0", 'return "edited"'))
    file, description = said_by(copy)
    assert Path(file) == source and description.startswith("interpreted: pose changed")
    assert said_by(copy, ANSWER) == ["edited"]


def test_the_sources_run_where_they_are_asked_for(copy: Path) -> None:
    file, description = said_by(copy, **{compiled.PURE: "1"})
    assert (Path(file).suffix, description) == (".py", f"interpreted: {compiled.PURE} is set")


def test_without_a_whole_build_the_sources_run_and_it_is_said(copy: Path) -> None:
    # Found before the real one; an interrupted build leaves no hashes.
    broken = copy / compiled.PACKAGE
    broken.mkdir()
    assert said_by(copy)[1].startswith("interpreted: it cannot be compared")
    (broken / "sources.json").write_text("{}")
    assert said_by(copy)[1].startswith("interpreted: it is not compiled for this Python")


def test_without_mypy_the_workspace_is_built_all_the_same_and_it_is_said(tmp_path: Path) -> None:
    options = ["build_ext", f"--build-lib={tmp_path / 'lib'}", f"--build-temp={tmp_path / 'temp'}"]
    code = (
        "import runpy, sys\n"
        "sys.modules['mypyc.build'] = None\n"
        f"sys.argv = ['setup.py', *{options}]\n"
        "runpy.run_path('setup.py', run_name='__main__')"
    )
    command = [sys.executable, "-c", code]
    answer = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, text=True, check=True)
    assert answer.stderr.count("the policy tick stays interpreted") == 1
    assert not (tmp_path / "lib" / compiled.PACKAGE).exists()


def test_the_ticks_tests_pass_interpreted_too() -> None:
    """Those without hypothesis: what that finds in one build it finds in the other, as the tests above show."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not hypothesis"]
    command.append(str(Path(__file__).parent))
    env = {**os.environ, compiled.PURE: "1"}
    answer = subprocess.run(command, env=env, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout[-3000:]
