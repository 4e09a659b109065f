"""A recorded insertion comes out the same to the last bit, and what was changed in it is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from rclpy.serialization import serialize_message

from refinery.bundle import Bundle, load_bundle
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.task import Task, load_task
from refinery.testing.bundles import constant_policy, tiny_bundle
from refinery.testing.lagging_cell import LaggingCell, aged
from refinery.testing.samples import changed
from refinery.tick.diagnosis import Place
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.samples import Inputs, RobotMode, RobotSample
from refinery_evaluation.cli.replay import main
from refinery_evaluation.explain.episode import load_episode
from refinery_evaluation.recording.bag_writer import BagWriter
from refinery_evaluation.recording.topic import BagTopic
from refinery_evaluation.recording.types import definition
from refinery_evaluation.replaying.episode import EPISODE, TICK, Episode, read_episodes
from refinery_evaluation.replaying.replay import bundle_of, replay
from refinery_msgs.msg import PolicyTick
from refinery_policy_node.parameters import PolicyParameters
from refinery_policy_node.tick_messages import episode_message, tick_message


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task(config_file("tasks", "peg_rect"))


@pytest.fixture(scope="module")
def bundle(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "tiny", task))


def recorded(
    bundle: Bundle,
    folder: Path,
    disturb: Callable[[int, Inputs], Inputs] = lambda step, inputs: inputs,
    edit: Callable[[PolicyTick], PolicyTick | None] = lambda tick: tick,
    late: tuple[int, ...] = (5, 6),
) -> Path:
    """Run an episode and record it as the node does, with a robot state and late steps.

    Args:
        bundle: What runs.
        folder: Of the bag.
        disturb: Changes what a step reads.
        edit: Changes a message that is recorded, or drops it.
        late: Steps that count as late.
    """
    parameters = PolicyParameters(fade_in_s=0.2)
    runtime = PolicyRuntime(bundle, parameters.guard_settings(bundle.task), fade_in_s=parameters.fade_in_s)
    cell, about = LaggingCell(bundle.task, 3), episode_message(bundle, parameters)
    first = cell.inputs()
    about.episode, about.trial_id, about.grasp = 1, 7, cell.grasp[0].tolist()
    about.reference_pos_m, about.reference_quat_xyzw = list(first.estimate.pos_m), list(first.estimate.quat_xyzw)
    about.reference_stamp_s = first.estimate.stamp_s
    kinds = {kind: BagTopic(name=f"/{kind}", type=kind, definition=definition(kind)) for kind in (EPISODE, TICK)}
    bag = BagWriter(folder)
    bag.write(kinds[EPISODE], 0, serialize_message(about))
    for step in range(1, runtime.steps + 1):
        robot = RobotSample(mode=int(RobotMode.MOVE), errors=(), stamp_s=cell.now_s - 0.002)
        inputs = disturb(step, changed(cell.inputs(), robot=robot))
        if step == 1:
            assert runtime.start(inputs, cell.grasp, first.estimate).level == 0
        # Told and not measured: on a busy machine more of them may be late.
        result = runtime.tick(inputs, missed=step in late)
        message = tick_message(inputs, result, 0.0)
        message.episode = 1
        cell.follow(result.target)
        if (kept := edit(message)) is not None:
            bag.write(kinds[TICK], step, serialize_message(kept))
        if result.done:
            break
    bag.close()
    return folder


def read(bag: Path) -> Episode:
    (episode,) = read_episodes(bag)
    return episode


def test_an_insertion_comes_out_the_same_to_the_last_bit(bundle: Bundle, tmp_path: Path) -> None:
    episode = read(recorded(bundle, tmp_path / "bag"))
    assert [tick.step for tick in episode.ticks if tick.missed] == [5, 6]
    result = replay(episode, bundle_of(episode))
    assert result.exact and result.steps == bundle.task.control.episode_steps and result.tolerance == 0.0


def test_so_does_one_that_held_and_was_stopped(bundle: Bundle, tmp_path: Path) -> None:
    def disturb(step: int, inputs: Inputs) -> Inputs:
        return aged(inputs, wrench=5.0) if step == 20 else inputs

    episode = read(recorded(bundle, tmp_path / "bag", disturb, late=(8, 9, 10)))
    assert [(tick.step, tick.level) for tick in episode.ticks if tick.level] == [(10, 1), (20, 2)]
    assert [len(tick.observation) == 0 for tick in episode.ticks].index(True) == 9
    assert replay(episode, bundle_of(episode)).exact


@pytest.mark.parametrize(
    ("field", "what"),
    [("measured_pos_m", "observation plug_pos_coarse[0]"), ("action", "action dx"), ("target", "target x")],
)
def test_the_first_step_and_number_that_differ_are_named(bundle: Bundle, tmp_path: Path, field: str, what: str) -> None:
    def edit(tick: PolicyTick) -> PolicyTick:
        if tick.step == 12:
            getattr(tick, field)[0] += 1e-4
        return tick

    result = replay(read(recorded(bundle, tmp_path / "bag", edit=edit)), bundle)
    assert result.difference is not None and not result.exact
    assert (result.difference.step, result.difference.what) == (12, what)


def test_steps_that_were_not_recorded_are_missing_and_not_different(bundle: Bundle, tmp_path: Path) -> None:
    episode = read(recorded(bundle, tmp_path / "bag", edit=lambda tick: None if tick.step in (10, 11) else tick))
    result = replay(episode, bundle)
    assert result.difference is None and not result.exact
    assert (result.steps, result.missing) == (9, (10, 11))


def test_another_processor_is_given_a_tolerance(bundle: Bundle, tmp_path: Path) -> None:
    def edit(tick: PolicyTick) -> PolicyTick:
        tick.target[0] += 1e-9
        return tick

    episode = read(recorded(bundle, tmp_path / "bag", edit=edit))
    assert replay(episode, bundle).difference is not None
    episode.about.processor = "another one"
    result = replay(episode, bundle)
    assert result.difference is None and not result.exact and 0 < result.largest < result.tolerance


def test_the_command_says_so_asks_another_policy_and_draws(
    bundle: Bundle, task: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag = recorded(bundle, tmp_path / "bag")
    page = tmp_path / "page.html"
    assert main([str(bag), "--timeline", str(page)]) == 0
    assert "the same to the last bit" in capsys.readouterr().out
    text = page.read_text()
    assert text.count("data:image/png;base64,") == 1 and "trial 7" in text and "http" not in text.lower()
    other = tiny_bundle(tmp_path / "other", task, constant_policy([0.5] * 6), name="other")
    with pytest.raises(ConfigError, match="SHA-256"):
        main([str(bag), "--bundle", str(other)])
    assert main([str(bag), "--policy", str(other)]) == 0
    assert "mm from those commanded" in capsys.readouterr().out


def test_a_bag_without_policy_steps_is_refused(tmp_path: Path) -> None:
    BagWriter(tmp_path / "bag").close()
    for bag in (tmp_path / "bag", tmp_path):
        with pytest.raises(ConfigError):
            read_episodes(bag)


def test_a_bag_is_explained_like_a_recording_of_the_node(bundle: Bundle, tmp_path: Path) -> None:
    bag = recorded(bundle, tmp_path / "bag", edit=lambda tick: None if tick.step == 9 else tick)
    episode, ticks = load_episode(bag, None), read(bag).ticks
    assert len(episode.time_s) == len(ticks) == bundle.task.control.episode_steps - 1
    assert episode.bundle.path == bundle.path and episode.diagnosis.place is Place.SEATED
    np.testing.assert_array_equal(episode.recording.action[3], ticks[3].action)
