"""The simulated cell, ROS-free: plant, trial, controllers and faults, and what they mean for each other."""

from __future__ import annotations

import numpy as np

from refinery.errors import RefineryError
from refinery.initial_state import GRASP_NAMES
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_twin.controllers import Controllers
from refinery_twin.faults import FaultSchedule
from refinery_twin.faults.kinds import STILL
from refinery_twin.plant import Mode, Plant
from refinery_twin.trajectory import JointTrajectory
from refinery_twin.trial import Trial, draw_trial


class Cell:
    """Everything behind the twin's topics and services.

    Args:
        task: What is inserted.
        profile: Of the arm.
        seed: Of the first trial.
    """

    def __init__(self, task: Task, profile: RobotProfile, seed: int) -> None:
        self.task = task
        self.plant = Plant(task, profile.home_rad)
        self.controllers = Controllers(profile.controllers.trajectory, profile.controllers.impedance)
        self.faults = FaultSchedule()
        self.trial = self._drawn(seed, np.zeros((1, len(GRASP_NAMES))))
        self._still = False

    def start_trial(self, seed: int, grasp: Array) -> None:
        """Set the cell up anew: socket, noise, friction, grasp (1, 3); faults end, the arm is at home."""
        self.faults.clear()
        self.controllers = Controllers(self.controllers.trajectory, self.controllers.impedance)
        self.trial = self._drawn(seed, grasp)
        self._still = False

    def step(self, count: int) -> None:
        """Advance the physics by some milliseconds.

        Raises:
            RefineryError: The physics diverged; the arm is back home.
        """
        still = any(self.faults.on(kind, self.plant.time_s) for kind in STILL)
        if still and not self._still:
            self._stand_still()
        self._still = still
        self.controllers.refuse = self.faults.on("switch_refused", self.plant.time_s)
        try:
            self.plant.step(count)
        except RefineryError:
            self.plant.reset(control_bias_m=self.trial.draw.control_bias_m)
            raise
        self.trial.observe_force(self.plant.contact_force_n)

    @property
    def standstill(self) -> str:
        """Why the robot follows nobody's commands now; an empty string if it does."""
        return "the robot does not move: a reflex, a user stop or its mode (an injected fault)" if self._still else ""

    def command(self, target: Poses) -> str:
        """Take a target of the tool (base frame, batch of one); returns why it is ignored, or an empty string."""
        if self._still:
            return self.standstill
        if self.plant.mode is not Mode.IMPEDANCE:
            return f"{self.controllers.impedance} is not active; switch controllers first"
        self.plant.set_target(target)
        return ""

    def follow(self, trajectory: JointTrajectory) -> None:
        """Follow a trajectory from now on, in place of any earlier one.

        Raises:
            RefineryError: The robot stands still, or the impedance controller is active.
        """
        if self._still:
            raise RefineryError(self.standstill)
        self.plant.follow(trajectory)

    def switch(self, activate: list[str], deactivate: list[str], *, strict: bool) -> str:
        """Switch controllers as :meth:`Controllers.switch`, and the plant with them."""
        problem = self.controllers.switch(activate, deactivate, strict=strict)
        if not problem:
            before = self.plant.mode
            self.plant.set_mode(Mode.IMPEDANCE if self.controllers.impedance_active else Mode.TRAJECTORY)
            if self.plant.mode is Mode.IMPEDANCE and before is Mode.TRAJECTORY:
                self.trial.hand_over(self.plant.plug)
        return problem

    def _drawn(self, seed: int, grasp: Array) -> Trial:
        draw = draw_trial(self.task, seed)
        self.plant.reset(socket=draw.socket, grasp=grasp, friction=draw.friction, control_bias_m=draw.control_bias_m)
        return Trial(self.task, draw, grasp)

    def _stand_still(self) -> None:
        """Hold where the arm is, whoever commands it."""
        if self.plant.mode is Mode.IMPEDANCE:
            self.plant.set_target(self.plant.tool)
        else:
            self.plant.stop_trajectory()
