"""The node's parameters: typed, described and range-checked by rclpy, read once at configuration."""

from __future__ import annotations

from dataclasses import dataclass

from rclpy.node import Node

from refinery.bringup.graph import SETTLED_S
from refinery.bundle.provider import CPU
from refinery.task import Task
from refinery.tick.guard import GuardSettings
from refinery.tick.guard.settings import HOLD_PERIODS
from refinery.tick.start_check import PLACEMENT_M, PLACEMENT_RAD, StartTolerance
from refinery_ros.parameters import declare_all, parameter, read_all
from refinery_ros.realtime import ANY_CPU, Realtime


@dataclass(frozen=True, kw_only=True)
class PolicyParameters:
    """Values of the node's parameters; each field's metadata is its description and range."""

    bundle: str = parameter(
        "",
        "Directory of the bundle to run, or several, one for each task, with a colon between them; goals name the task",
    )
    provider: str = parameter(
        CPU,
        "Where the policy runs: cpu, cuda, tensorrt, or auto for the fastest that is installed; another one than cpu "
        "must give the same actions",
    )
    robot_profile: str = parameter("", "Robot profile, a name in config/robots or a path")
    autostart: bool = parameter(False, "Configure and activate at start, without a lifecycle manager")
    discovery_s: float = parameter(
        SETTLED_S, "At autostart, time before activation in which the node discovers the other nodes [s]", 0.0, 60.0
    )
    autostart_timeout_s: float = parameter(30.0, "At autostart, wait this long for the robot [s]", 0.0, 3600.0)
    activation_timeout_s: float = parameter(2.0, "Wait this long for publishers and messages [s]", 0.05, 60.0)
    command_rate_hz: float = parameter(
        0.0,
        "Rate of interpolated targets; 0: one target per policy step, as in training [Hz]",
        0.0,
        1000.0,
    )
    dry_run: bool = parameter(
        False, "Compute everything but command nothing: targets go to ~/shadow_target and controllers stay as they are"
    )
    fade_in_s: float = parameter(
        0.0,
        "At the start of an insertion the actions grow from nothing to full for this long; the policy was trained "
        "without, and its actions are smoothed anyway [s]",
        0.0,
        5.0,
    )
    handover_s: float = parameter(
        0.1,
        "Between switching controllers and the first policy step, hold for this long [s]",
        0.0,
        5.0,
    )
    switch_timeout_s: float = parameter(2.0, "Longest wait for a controller switch [s]", 0.1, 30.0)
    hold_periods: float = parameter(HOLD_PERIODS, "Robot state older than this many policy periods: hold", 0.1, 100.0)
    stop_age_s: float = parameter(GuardSettings.stop_age_s, "Robot state older than this: stop [s]", 0.005, 10.0)
    future_tolerance_s: float = parameter(
        GuardSettings.future_tolerance_s, "A stamp this far ahead of the clock is accepted [s]", 0.0, 1.0
    )
    estimate_age_s: float = parameter(
        GuardSettings.estimate_age_s, "Socket estimate older than this: stop [s]", 0.01, 60.0
    )
    estimate_jump_m: float = parameter(
        GuardSettings.estimate_jump_m, "Socket estimate this far from the mean: an outlier [m]", 0.0001, 1.0
    )
    estimate_jump_rad: float = parameter(
        GuardSettings.estimate_jump_rad, "The same for its orientation [rad]", 0.001, 3.2
    )
    estimate_outlier_ticks: int = parameter(
        GuardSettings.estimate_outlier_ticks,
        "Outliers of the socket estimate in this many steps in a row: stop",
        1,
        10000,
    )
    estimate_drift_m: float = parameter(
        GuardSettings.estimate_drift_m,
        "Newest socket estimates this far from the first of an insertion, on average: stop [m]",
        0.0001,
        1.0,
    )
    estimate_drift_rad: float = parameter(
        GuardSettings.estimate_drift_rad, "The same for its orientation [rad]", 0.001, 3.2
    )
    wrench_offset_warn_share: float = parameter(
        GuardSettings.wrench_offset_warn_share,
        "External wrench of the arm at rest over this share of the task's limit: warn",
        0.001,
        1.0,
    )
    wrench_offset_refuse_share: float = parameter(
        GuardSettings.wrench_offset_refuse_share,
        "External wrench of the arm at rest over this share of the task's limit: refuse",
        0.001,
        1.0,
    )
    clock_timeout_s: float = parameter(
        2.0, "The node's clock stands still for this long by the steady clock: stop [s]", 0.1, 60.0
    )
    clip_stop_ticks: int = parameter(
        GuardSettings.clip_stop_ticks, "Targets clipped in this many steps in a row: stop", 1, 10000
    )
    deadline_hold_ticks: int = parameter(
        GuardSettings.deadline_hold_ticks, "Late in this many steps in a row: hold", 1, 10000
    )
    deadline_stop_ticks: int = parameter(
        GuardSettings.deadline_stop_ticks, "Late in this many steps in a row: stop", 1, 10000
    )
    placement_tolerance_m: float = parameter(
        PLACEMENT_M, "Start this far outside the deployment box is accepted, besides the estimate's noise [m]", 0.0, 0.1
    )
    placement_tolerance_rad: float = parameter(PLACEMENT_RAD, "The same for rotation [rad]", 0.0, 1.0)
    publish_ticks: bool = parameter(
        True, "Publish every policy step with all its inputs on ~/tick, after its target, for recording and replay"
    )
    calibration_dir: str = parameter(
        "",
        "Learn the constant error of the socket estimate from seated insertions, correct by it and keep it in this "
        "directory; a seated plug then feels for the walls of the hole (10 policy steps); empty: do not",
    )
    calibration_fixture: str = parameter("fixture", "Name of the fixture; what is learnt of each is a file of its own")
    calibration_max_age_days: float = parameter(
        30.0, "What was learnt is left out of account if it has not changed for longer [days]", 0.0, 3650.0
    )
    record_dir: str = parameter("", "Write every insertion's ticks to this directory (.npz); empty: do not")

    realtime_policy: str = parameter(
        Realtime.policy, "Scheduling of the thread that runs the policy: other (as every thread) or fifo"
    )
    realtime_priority: int = parameter(Realtime.priority, "Its priority under fifo", 1, 99)
    realtime_lock_memory: bool = parameter(
        Realtime.lock_memory, "Keep all memory of the process from being paged out (mlockall)"
    )
    realtime_cpu: int = parameter(Realtime.cpu, "Processor that the thread runs on; -1: any", ANY_CPU, 4095)

    def __post_init__(self) -> None:
        """Validate what no range describes."""
        self.realtime()

    def realtime(self) -> Realtime:
        """Return how the thread that runs the policy is scheduled."""
        return Realtime(
            policy=self.realtime_policy,
            priority=self.realtime_priority,
            lock_memory=self.realtime_lock_memory,
            cpu=self.realtime_cpu,
        )

    def guard_settings(self, task: Task) -> GuardSettings:
        """Return the thresholds of the guard for a task."""
        return GuardSettings.for_task(
            task,
            hold_age_s=self.hold_periods / task.control.policy_rate_hz,
            stop_age_s=self.stop_age_s,
            future_tolerance_s=self.future_tolerance_s,
            estimate_age_s=self.estimate_age_s,
            estimate_jump_m=self.estimate_jump_m,
            estimate_jump_rad=self.estimate_jump_rad,
            estimate_outlier_ticks=self.estimate_outlier_ticks,
            estimate_drift_m=self.estimate_drift_m,
            estimate_drift_rad=self.estimate_drift_rad,
            wrench_offset_warn_share=self.wrench_offset_warn_share,
            wrench_offset_refuse_share=self.wrench_offset_refuse_share,
            clip_stop_ticks=self.clip_stop_ticks,
            deadline_hold_ticks=self.deadline_hold_ticks,
            deadline_stop_ticks=self.deadline_stop_ticks,
        )

    def start_tolerance(self, task: Task) -> StartTolerance:
        """Return how far outside the deployment box an insertion may start."""
        return StartTolerance.for_task(
            task, placement_m=self.placement_tolerance_m, placement_rad=self.placement_tolerance_rad
        )


def declare_parameters(node: Node) -> None:
    """Declare every parameter with its type, description and range."""
    declare_all(node, PolicyParameters)


def read_parameters(node: Node) -> PolicyParameters:
    """Read the declared parameters."""
    return read_all(node, PolicyParameters)
