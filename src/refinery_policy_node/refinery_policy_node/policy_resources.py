"""Everything the node holds between configuration and clean-up: policies and their connections to the robot."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from rclpy.lifecycle import LifecycleNode

from refinery.bundle import Bundle, check_fit, choose_provider, load_bundles
from refinery.bundle.several import listed, meant_by
from refinery.errors import ConfigError, RefineryError
from refinery.robot_profile import RobotProfile, load_robot_profile
from refinery.storage import check_writable
from refinery.tick.guard import GuardDecision, Level, Reason
from refinery.tick.recording import Recorder
from refinery.tick.runtime import PolicyRuntime
from refinery_policy_node.cell_calibration import CellCalibration
from refinery_policy_node.parameters import PolicyParameters
from refinery_policy_node.tick_publisher import TickPublisher
from refinery_policy_node.topics import RobotTopics
from refinery_ros import realtime
from refinery_ros.clock_watch import ClockWatch
from refinery_ros.controller_switch import ControllerSwitch, NoSwitch, Switch
from refinery_ros.realtime import ThreadSchedule


class PolicyResources:
    """Bundles, policies, topics and controllers of one configured node; one policy at a time is chosen.

    Args:
        node: Gets subscriptions, publishers and clients.
        parameters: Parameters of the node.

    Raises:
        RefineryError: A bundle or the profile are not usable or do not match; the message says why.
    """

    def __init__(self, node: LifecycleNode, parameters: PolicyParameters) -> None:
        for name in ("bundle", "robot_profile"):
            if not getattr(parameters, name):
                raise ConfigError(
                    f"{node.get_name()} parameters", name, "a name or path", "", f"set it: -p {name}:=..."
                )
        self.parameters = parameters
        profile: RobotProfile = load_robot_profile(parameters.robot_profile)
        _check_clock(node, profile)
        if parameters.record_dir:
            check_writable(Path(parameters.record_dir), "free some space, or name another folder: -p record_dir:=...")
        self.policies = tuple(_loaded(node, bundle, profile, parameters) for bundle in load_bundles(parameters.bundle))
        """Bundle and policy for each task, warmed up."""
        self.bundle, self.runtime = self.policies[0]
        """The chosen ones."""
        self.calibration: CellCalibration | None = None
        if parameters.calibration_dir:
            if len(self.policies) > 1:
                raise ConfigError(
                    f"{node.get_name()} parameters",
                    "calibration_dir",
                    "none beside several bundles: what is learnt belongs to the socket of one task",
                    parameters.calibration_dir,
                )
            self.calibration = CellCalibration(
                node,
                folder=Path(parameters.calibration_dir),
                fixture=parameters.calibration_fixture,
                bundle=self.bundle,
                base_frame=profile.base_frame,
                max_age=timedelta(days=parameters.calibration_max_age_days),
            )
        self.topics = RobotTopics(node, profile, shadow=parameters.dry_run)
        self.ticks = TickPublisher(node, self.bundle, parameters, profile.base_frame)
        self.use_correction()
        self.clock = ClockWatch(parameters.clock_timeout_s)
        self.switch: Switch = NoSwitch()
        if not parameters.dry_run:
            self.switch = ControllerSwitch(node, profile, parameters.switch_timeout_s)
        try:
            # Last: threads of the middleware that are made later would be tied to the same processor.
            self._schedule = ThreadSchedule(parameters.realtime())
        except RefineryError:
            self._disconnect()
            raise
        node.get_logger().info(f"scheduling: {realtime.description()}")

    def choose(self, task: str) -> str | None:
        """Choose the policy of the next insertion.

        Args:
            task: Its task, a name or a hash; empty: the only one.

        Returns:
            None, or what was expected instead; then nothing was changed.
        """
        tasks = [bundle.task for bundle, _ in self.policies]
        meant = meant_by(task, tasks)
        if meant is None:
            return f"expected {listed(tasks)}, got {task!r}"
        bundle, runtime = self.policies[tasks.index(meant)]
        if runtime is not self.runtime:
            self.bundle, self.runtime = bundle, runtime
            self.ticks.run(bundle)
        return None

    def use_correction(self) -> None:
        """Apply what the calibration has learnt by now, if there is one, to the estimates from now on."""
        if self.calibration is not None:
            self.topics.correction = self.calibration.correction

    def check_clock(self) -> GuardDecision:
        """Return OK, or the stop for a clock that stood still at the last look."""
        if not self.clock.stopped:
            return GuardDecision()
        return GuardDecision(level=Level.STOP, reason=Reason.CLOCK_STOPPED, message=self.clock.message)

    def destroy(self) -> None:
        """End all connections."""
        self._schedule.restore()
        self._disconnect()

    def _disconnect(self) -> None:
        self.topics.destroy()
        self.ticks.destroy()
        self.switch.destroy()
        if self.calibration is not None:
            self.calibration.destroy()


def _loaded(
    node: LifecycleNode, bundle: Bundle, profile: RobotProfile, parameters: PolicyParameters
) -> tuple[Bundle, PolicyRuntime]:
    """Check one bundle and warm its policy up; returns the bundle with the provider that was chosen."""
    choice = choose_provider(bundle, parameters.provider)
    node.get_logger().info(choice.message)
    bundle = choice.bundle
    check_fit(bundle, profile)
    if bundle.envelope is None:
        node.get_logger().info(
            f"bundle {bundle.name}: no envelope of observations: none will be reported out of distribution; "
            "`refine` writes one with enough episodes (gate_episodes)"
        )
    if bundle.other_gains:
        node.get_logger().warning(
            f"bundle {bundle.name}: {'; '.join(bundle.other_gains)}; accepted when it was written: "
            "expect the arm to respond differently than in training"
        )
    task = bundle.task
    runtime = PolicyRuntime(
        bundle, parameters.guard_settings(task), parameters.start_tolerance(task), parameters.fade_in_s
    )
    if parameters.record_dir:
        runtime.recorder = Recorder(task.hash(), runtime.policy.observation_size)
    return bundle, runtime


def _check_clock(node: LifecycleNode, profile: RobotProfile) -> None:
    """Refuse the wrong clock, by which every stamp would be hours old or far in the future."""
    used = bool(node.get_parameter("use_sim_time").value)
    if used != profile.use_sim_time:
        hint = f"set it: -p use_sim_time:={str(profile.use_sim_time).lower()}"
        expected = f"{profile.use_sim_time} as in the robot profile {profile.name!r}"
        raise ConfigError(f"{node.get_name()} parameters", "use_sim_time", expected, used, hint)
