"""The policy steps of one insertion, read from a bag."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mcap.exceptions import McapError
from mcap.reader import make_reader
from numpy.typing import NDArray
from rclpy.serialization import deserialize_message

from refinery.errors import ConfigError, DamagedFileError
from refinery.task import Task
from refinery.tick.guard import GuardSettings
from refinery.tick.samples import Inputs, PoseSample, RobotSample, WrenchSample
from refinery.tick.start_check import StartTolerance
from refinery_evaluation.recording.bag_writer import PART
from refinery_msgs.msg import PolicyEpisode, PolicyTick

TICK, EPISODE = "refinery_msgs/msg/PolicyTick", "refinery_msgs/msg/PolicyEpisode"


@dataclass(frozen=True, kw_only=True)
class Episode:
    """One insertion as it was recorded."""

    about: PolicyEpisode
    """What stayed the same."""
    ticks: tuple[PolicyTick, ...]
    """Its steps in order; some may be missing."""

    @property
    def grasp(self) -> NDArray[np.float64]:
        """How the plug sat in the hand, shape (1, 3)."""
        return np.array([self.about.grasp])

    @property
    def reference(self) -> PoseSample:
        """The socket estimate that the first ones were compared with."""
        about = self.about
        return _pose(about.reference_pos_m, about.reference_quat_xyzw, about.reference_stamp_s)

    @property
    def missing(self) -> list[int]:
        """Steps that were not recorded, though a later one was."""
        return sorted(set(range(1, self.ticks[-1].step + 1)) - {tick.step for tick in self.ticks})

    def whole(self) -> tuple[PolicyTick, ...]:
        """Steps up to the first one that is missing: the policy remembers, so that later ones cannot be computed."""
        return tuple(tick for index, tick in enumerate(self.ticks) if tick.step == index + 1)

    def guard_settings(self, task: Task) -> GuardSettings:
        """Return the thresholds that the guard had."""
        defaults = dataclasses.asdict(GuardSettings.for_task(task))
        found = self._settings("guard.")
        return GuardSettings(**{name: type(default)(found.get(name, default)) for name, default in defaults.items()})

    def start_tolerance(self, task: Task) -> StartTolerance:
        """Return how far outside the deployment box it was allowed to start."""
        return StartTolerance(**(dataclasses.asdict(StartTolerance.for_task(task)) | self._settings("start.")))

    @property
    def fade_in_s(self) -> float:
        """How long its actions grew to full, [s]."""
        return self._settings("fade_in_").get("s", 0.0)

    def _settings(self, prefix: str) -> dict[str, float]:
        pairs = zip(self.about.setting_names, self.about.setting_values, strict=True)
        return {name.removeprefix(prefix): value for name, value in pairs if name.startswith(prefix)}


def read_episodes(bag: Path) -> list[Episode]:
    """Read the insertions of a bag.

    Args:
        bag: Its folder, or its MCAP file.

    Raises:
        ConfigError: There is no bag, or no policy step in it.
        DamagedFileError: It cannot be read.
    """
    file = _file(bag)
    abouts: dict[int, PolicyEpisode] = {}
    ticks: dict[int, dict[int, PolicyTick]] = {}
    try:
        with file.open("rb") as stream:
            for schema, _, message in make_reader(stream).iter_messages():
                kind = "" if schema is None else schema.name
                if kind == EPISODE:
                    about = deserialize_message(message.data, PolicyEpisode)
                    abouts[about.episode] = about
                elif kind == TICK:
                    tick = deserialize_message(message.data, PolicyTick)
                    ticks.setdefault(tick.episode, {})[tick.step] = tick
    except (McapError, OSError, ValueError) as error:
        raise DamagedFileError(f"{file}: expected a bag, got {type(error).__name__}: {error}") from error
    found = [
        Episode(about=abouts[number], ticks=tuple(steps[step] for step in sorted(steps)))
        for number, steps in sorted(ticks.items())
        if number in abouts
    ]
    if not found:
        hint = "record refinery_policy/tick and refinery_policy/episode (policy node: publish_ticks)"
        raise ConfigError(file, "", "policy steps and what they belong to", "none", hint)
    return found


def inputs_of(tick: PolicyTick) -> Inputs:
    """Return what a step read, to the last bit."""
    robot = RobotSample(mode=tick.robot_mode, errors=tuple(tick.robot_errors), stamp_s=tick.robot_stamp_s)
    return Inputs(
        measured=_pose(tick.measured_pos_m, tick.measured_quat_xyzw, tick.measured_stamp_s),
        estimate=_pose(tick.estimate_pos_m, tick.estimate_quat_xyzw, tick.estimate_stamp_s),
        wrench=WrenchSample(wrench=tuple(tick.wrench.tolist()), stamp_s=tick.wrench_stamp_s),
        robot=robot if tick.has_robot else None,
        now_s=tick.now_s,
        wrong_frame=tick.wrong_frame,
    )


def _pose(position: NDArray[np.float64], quaternion: NDArray[np.float64], stamp_s: float) -> PoseSample:
    return PoseSample(pos_m=tuple(position.tolist()), quat_xyzw=tuple(quaternion.tolist()), stamp_s=stamp_s)


def _file(bag: Path) -> Path:
    if bag.is_file():
        return bag
    files = sorted(bag.glob("*.mcap"))
    if len(files) == 1:
        return files[0]
    got = f"{len(files)} files" if files else "none"
    hint = "a killed recorder left it: `refinery replay --recover`" if list(bag.glob(f"*{PART}")) else ""
    raise ConfigError(bag, "", "a bag: a folder with one .mcap file, or the file", got, hint)
