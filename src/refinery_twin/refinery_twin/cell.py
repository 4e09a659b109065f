"""The simulated cell, free of ROS: plant, trial, controllers and faults, and their interaction."""

from __future__ import annotations

import numpy as np

from refinery.errors import RefineryError
from refinery.initial_state import GRASP_NAMES
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim.plant import Mode, Plant
from refinery_sim.trajectory import JointTrajectory
from refinery_twin.controllers import Controllers
from refinery_twin.faults import FaultSchedule
from refinery_twin.faults.kinds import STILL
from refinery_twin.faults.stopped_clock import CLOCK_STOP
from refinery_twin.trial import Trial, draw_trial


class Cell:
    """Everything behind the twin's topics and services.

    Args:
        task: The insertion task.
        profile: Profile of the arm.
        seed: Seed of the first trial.
        bias_seed: As for :func:`refinery_twin.trial.draw_trial`.
        plant: The plant; that of the task if None.
    """

    def __init__(
        self, task: Task, profile: RobotProfile, seed: int, bias_seed: int = -1, plant: Plant | None = None
    ) -> None:
        self.task, self._bias_seed = task, bias_seed
        self.plant = plant or Plant(task, profile.home_rad)
        interfaces = [f"{name}/effort" for name in profile.joint_names]
        self.controllers = Controllers(profile.controllers.trajectory, profile.controllers.impedance, interfaces)
        self.faults = FaultSchedule()
        self.trial = self._drawn(seed, np.zeros((1, len(GRASP_NAMES))))
        self._still = False
        self._kept: Poses | None = None

    def start_trial(self, seed: int, grasp: Array) -> None:
        """Set up a new trial: socket, noise, friction, grasp (1, 3); faults end, the arm is at home."""
        self.faults.clear()
        self.trial = self._drawn(seed, grasp)
        self._forget()

    def step(self, count: int) -> None:
        """Advance the physics by some milliseconds.

        Raises:
            RefineryError: The physics diverged; the arm is back home.
        """
        still = any(self.faults.on(kind, self.plant.time_s) for kind in STILL)
        if still != self._still:
            self._still = still
            if still:
                self._stop_controllers()
            else:
                self._recover()
        self.controllers.refuse = self.faults.on("switch_refused", self.plant.time_s)
        try:
            self.plant.step(count)
        except RefineryError:
            self.plant.reset(control_bias_m=self.trial.draw.control_bias_m)
            self._forget()
            raise
        self.trial.observe_force(self.plant.contact_force_n)

    @property
    def standstill(self) -> str | None:
        """Why the robot follows no commands now, or None if it does."""
        return "the robot does not move: a reflex, a user stop or its mode (an injected fault)" if self._still else None

    @property
    def sequence_step(self) -> int:
        """Index of the step that an assembly is in; 0 of a cell with one task."""
        return 0

    def command(self, target: Poses) -> str | None:
        """Take a target of the tool (base frame, batch of one).

        As crisp_controllers does, the last one that comes while the impedance controller is inactive is kept, and the
        arm goes there when the controller is activated.

        Returns:
            Why the target has no effect yet, or None.
        """
        if self.plant.mode is Mode.IMPEDANCE:
            self.plant.set_target(target)
            return None
        self._kept = target
        return self.standstill or f"{self.controllers.impedance} is not active"

    def follow(self, trajectory: JointTrajectory) -> None:
        """Follow a trajectory from now on, in place of any earlier one.

        Raises:
            RefineryError: The robot stands still, or the trajectory controller is not active.
        """
        if self.standstill is not None:
            raise RefineryError(self.standstill)
        self.plant.follow(trajectory)

    def switch(self, activate: list[str], deactivate: list[str], *, strict: bool) -> str | None:
        """Switch controllers as :meth:`Controllers.switch`, and the plant with them."""
        if self.faults.on(CLOCK_STOP, self.plant.time_s):
            return "the switch timed out: the control loop stands still with the clock (an injected fault)"
        before = self.controllers.active
        if problem := self.controllers.switch(activate, deactivate, strict=strict):
            return problem
        active = self.controllers.active
        restarted = active in activate and active in deactivate
        if active != before or restarted:
            self._start(active)
        return None

    def _start(self, controller: str | None) -> None:
        """Let a controller that was just activated drive the plant; none if None."""
        modes = {self.controllers.trajectory: Mode.TRAJECTORY, self.controllers.impedance: Mode.IMPEDANCE}
        before = self.plant.mode
        self.plant.set_mode(modes.get(controller or "", Mode.IDLE))
        if self.plant.mode is not Mode.IMPEDANCE:
            return
        if before is not Mode.IMPEDANCE:
            self.trial.hand_over(self.plant.plug, self.plant.time_s, self.sequence_step)
        if self._kept is not None:
            self.plant.set_target(self._kept)
            self._kept = None

    def _drawn(self, seed: int, grasp: Array) -> Trial:
        draw = draw_trial(self.task, seed, self._bias_seed)
        self.plant.reset(socket=draw.socket, grasp=grasp, friction=draw.friction, control_bias_m=draw.control_bias_m)
        return Trial(self.task, draw, grasp, self.plant.time_s)

    def _forget(self) -> None:
        """Reset the controllers to their initial states."""
        fresh = self.controllers
        self.controllers = Controllers(fresh.trajectory, fresh.impedance, fresh.interfaces)
        self._still, self._kept = False, None

    def _stop_controllers(self) -> None:
        """Let the robot hold its joints: its driver has reported an error, which deactivates the controllers."""
        self.controllers.fail()
        self.plant.set_mode(Mode.IDLE)

    def _recover(self) -> None:
        """Recover the robot after the fault, as a person does: docs/robots.md, "Recovery"."""
        self.controllers.recover()
        self.plant.set_mode(Mode.TRAJECTORY)
