"""The way a user walks, through the public interface of the real nodes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from controller_manager_msgs.srv import SwitchController
from rclpy.task import Future
from rosbags.highlevel import AnyReader

from end_to_end.running_cell import running_cell
from refinery.bundle import OnnxPolicy, load_bundle
from refinery.calibration import CalibrationSpec
from refinery.calibration_file import calibration_path, load_calibration
from refinery.robot_profile import load_robot_profile
from refinery.tick.recording import Recording
from refinery.tick.replay import replay
from refinery_evaluation.replaying.episode import read_episodes
from refinery_evaluation.replaying.replay import bundle_of
from refinery_evaluation.replaying.replay import replay as replay_ticks
from refinery_evaluation.report.data import TrialRecord
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.run import run_trials
from refinery_evaluation.trials.trial_recorder import BagRecorder
from refinery_msgs.msg import Outcome
from refinery_twin.trial import draw_trial

pytestmark = pytest.mark.ros
Switch = Callable[[Sequence[str], Sequence[str]], bool]
TRIALS = 3
RECORDED = {"/refinery_policy/tick", "/refinery_policy/episode", "/refinery_policy/status", "/joint_states"}
BIAS_SEED = 2
"""Of an error of the socket estimate of 0.5 mm, twice its standard deviation per axis."""


@pytest.fixture(scope="module")
def calibrations(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the policy node keeps what it learns of the estimate."""
    return tmp_path_factory.mktemp("calibrations")


@pytest.fixture(scope="module")
def client(
    bundle: Path, records: Path, calibrations: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TrialClient]:
    """A cell whose socket estimate errs by the same amount in every trial, and which learns that."""
    parameters = {
        "refinery_twin.bias_seed": BIAS_SEED,
        "refinery_policy.calibration_dir": str(calibrations),
        "refinery_sampler.use_socket_correction": True,
    }
    with running_cell(bundle, records, tmp_path_factory.mktemp("logs"), parameters=parameters) as client:
        yield client


@pytest.fixture(scope="module")
def recorded_trials(client: TrialClient, records: Path) -> tuple[list[TrialRecord], Path]:
    """The trials, and the bag that was recorded of the first."""
    node, said, bags = rclpy.create_node("recording_test"), list[str](), list[Path]()

    def answer(future: Future, timeout_s: float, name: str) -> Any:
        rclpy.spin_until_future_complete(node, future, timeout_sec=60.0)
        return future.result()

    recorder = BagRecorder(node, answer, records, "all", said.append)

    def end_bag(_share: float, _note: str) -> None:
        if not bags:
            bags.append(records / recorder.end(success=True))

    recorder.begin(0, 1)
    trials = run_trials(client, TRIALS, seed=0, report=end_bag)
    node.destroy_node()
    assert said == []
    return trials, bags[0]


@pytest.fixture(scope="module")
def trials(recorded_trials: tuple[list[TrialRecord], Path]) -> list[TrialRecord]:
    return recorded_trials[0]


def test_every_trial_is_placed_inserted_and_scored(trials):
    assert len(trials) == 2 * TRIALS
    for trial in trials:
        assert trial.placed, trial.reason
        assert trial.place_error_mm < 1.0 and trial.place_error_deg < 0.5
        assert trial.outcome in ("success", "failed"), trial.reason
        assert len(trial.theta) == 9


def test_both_kinds_of_start_see_the_same_cells(trials):
    seeds = {kind: [t.seed for t in trials if t.starts == kind] for kind in ("uniform", "sampled")}
    assert seeds["uniform"] == seeds["sampled"] and len(set(seeds["uniform"])) == TRIALS


def test_the_base_policy_wins_more_often_than_chance(trials):
    # 80 % in simulation: fewer than 2 of 6 has a probability of 1 in 600, a policy that knows nothing gets none.
    assert sum(trial.strict for trial in trials) >= 2


def test_what_the_node_says_is_what_happened(trials):
    agree = [trial.strict == (trial.outcome == "success") for trial in trials]
    assert sum(agree) >= len(agree) - 1


def test_the_cell_has_learnt_the_error_of_its_socket_estimate(trials, calibrations: Path, bundle: Path):
    task = load_bundle(bundle).task
    draw = draw_trial(task, 0, BIAS_SEED)
    error_m = (draw.estimate.pos_m - draw.socket.pos_m)[0, :2]
    learnt, _ = load_calibration(
        calibration_path(calibrations, "fixture"),
        CalibrationSpec.of(task),
        fixture="fixture",
        task=task.name,
        base_frame=load_robot_profile("twin").base_frame,
        max_age=timedelta(days=1),
    )
    correction = learnt.correction()
    seated = sum(trial.strict for trial in trials)
    assert correction.applied and 1 <= correction.observations <= seated
    assert np.linalg.norm(error_m - correction.offset_m) < 0.5 * np.linalg.norm(error_m)


def test_no_commanded_force_was_over_the_tasks_bound(trials, records: Path, bundle: Path):
    control = load_bundle(bundle).task.control
    for file in records.glob("*.npz"):
        recording = Recording.load(file)
        stretch = np.linalg.norm(recording.target_pos_m - recording.measured_pos_m, axis=1)
        assert stretch.max() <= np.linalg.norm(control.max_error[:3]) + 1e-9


def test_twin_and_training_code_see_the_same_episodes(trials, records: Path, bundle: Path):
    """The parity the design asks for: recorded twin episodes through the training environment's code, to 1e-6."""
    loaded = load_bundle(bundle)
    files = sorted(records.glob("*.npz"))
    assert len(files) == len(trials)
    recordings = [Recording.load(file) for file in files]
    whole = [r for r in recordings if len(r.now_s) == loaded.task.control.episode_steps]
    assert len(whole) >= len(files) - 1
    session = OnnxPolicy(loaded.policy_path)

    def policy(observation):
        return np.concatenate([session(row[None]) for row in observation])

    again = replay(loaded.task, whole, policy)
    for row, recording in enumerate(whole):
        assert np.abs(again.observation[row] - recording.observation).max() <= 1e-6
        assert np.abs(again.action[row] - recording.action).max() <= 1e-6
        assert np.abs(again.target_pos_m[row] - recording.target_pos_m).max() <= 1e-6


def test_a_recorded_trial_opens_in_another_reader_and_replays_to_the_last_bit(recorded_trials):
    trials, bag = recorded_trials
    assert trials[0].placed, trials[0].reason
    with AnyReader([bag]) as reader:
        assert {kind.topic for kind in reader.connections} >= RECORDED
        messages = {kind.topic: reader.deserialize(raw, kind.msgtype) for kind, _, raw in reader.messages()}
    (episode,) = read_episodes(bag)
    assert messages["/refinery_policy/tick"].step == len(episode.ticks) == episode.ticks[-1].step
    assert replay_ticks(episode, bundle_of(episode)).exact


def test_inserting_without_a_placement_is_refused_and_nothing_moves(client: TrialClient):
    client.new_cell(1)
    before = client.truth()
    result = client.insert(99)
    assert result.outcome.value == Outcome.REFUSED, result.outcome.message
    assert result.ticks == 0
    assert client.truth().max_force_n == before.max_force_n == 0.0


def test_the_sample_command_prints_states_and_passes_on_refusals(client: TrialClient, capsys):
    from refinery.cli.main import main

    # A process of its own, as a user would run it: this one already has an rclpy context.
    def run(*words: str) -> tuple[int, str]:
        code = "import sys; from refinery.cli.main import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=240)
        return done.returncode, done.stdout + done.stderr

    status, said = run("sample", "--count", "2", "--seed", "5")
    assert status == 0 and "predicted success" in said and "seed 5" in said
    status, said = run("sample", "--count", "0")
    assert status == 1 and "refused" in said
    assert main(["nonsense"]) == 2
    assert "sample" in capsys.readouterr().err


def test_the_picture_command_shows_the_running_cell_or_says_who_is_silent(trials, tmp_path):
    def take(out: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "refinery_twin.picture", "--out", str(out), "--width", "96", "--height", "64"]
        return subprocess.run([*command, *words], capture_output=True, text=True, timeout=120)

    taken = take(tmp_path / "cell.png", "--camera", "cell")
    if "no GL library works here" in taken.stderr:
        pytest.skip(taken.stderr)
    assert taken.returncode == 0, taken.stderr
    assert (tmp_path / "cell.png").read_bytes().startswith(b"\x89PNG")
    # Names of another robot: nobody publishes its joints here.
    silent = take(tmp_path / "none.png", "--robot", "panda", "--wait-s", "0.5")
    assert silent.returncode == 1 and "no message on /franka/joint_states within" in silent.stderr
    assert not (tmp_path / "none.png").exists()


def test_trials_are_run_explained_and_reported_by_the_commands(trials, records: Path, bundle: Path, tmp_path: Path):
    """The end of a user's first hour, on the cell that is up: trial, why did it fail, report."""

    def run(module: str, *words: str | Path) -> str:
        code = f"from refinery_evaluation.cli.{module} import main; main()"
        command = [sys.executable, "-c", code, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    before = set(records.glob("*.npz"))
    said = run("trial", "--count", "1", "--seed", "7", "--wait-s", "120", "--out", tmp_path / "trials.json")
    assert "trial 0 from a sampled start" in said and "strict success" in said
    (recorded,) = set(records.glob("*.npz")) - before
    said = run("explain", recorded, "--bundle", bundle, "--out", tmp_path / "explain.html")
    assert any(place in said for place in ("seated", "partly in", "on the rim", "above the rim"))
    assert (tmp_path / "explain.html").read_text().count("data:image/png;base64,") == 4
    run("report", "--run", bundle.parent, "--records", tmp_path / "trials.json", "--out", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    # The seed of the trial's cell is in the page's table.
    assert "Refinery report: peg_rect" in page and "917000" in page


@pytest.fixture
def switch(client: TrialClient) -> Iterator[Switch]:
    """Somebody who activates and deactivates controllers, STRICT; tells whether it was done."""
    node = rclpy.create_node("somebody_who_switches")
    service = node.create_client(SwitchController, "/controller_manager/switch_controller")
    assert service.wait_for_service(timeout_sec=60.0)

    def call(activate: Sequence[str], deactivate: Sequence[str]) -> bool:
        request = SwitchController.Request(
            activate_controllers=list(activate),
            deactivate_controllers=list(deactivate),
            strictness=SwitchController.Request.STRICT,
        )
        future = service.call_async(request)
        rclpy.spin_until_future_complete(node, future, timeout_sec=60.0)
        return bool(future.result().ok)

    yield call
    node.destroy_node()


def test_a_placement_without_a_controller_fails_and_nothing_moves(client: TrialClient, switch: Switch):
    """Refused all the way up while nobody holds the trajectory controller active."""
    profile = load_robot_profile("twin")
    trajectory, home = profile.controllers.trajectory, profile.arm_kinematics().forward(np.array(profile.home_rad))
    client.new_cell(7)
    assert switch([], [trajectory])
    result = client.place("sample", 7)
    assert result.outcome.value == Outcome.FAILED, result.outcome.message
    assert "CONTROL_FAILED" in result.outcome.message and f"is {trajectory} active?" in result.outcome.message
    p = result.pose_reached.pose.position
    np.testing.assert_allclose([p.x, p.y, p.z], home.pos_m[0], atol=1e-3)
    assert switch([trajectory], [])
    again = client.place("sample", 7)
    assert again.outcome.value == Outcome.SUCCESS, again.outcome.message
