"""Assemblies on the twin's physics by the node's policy tick, without ROS.

Each step starts with the part held where it was sampled, as the arm's placement leaves it; the way there is left out.
It ends as the robot ends it: verified by kinematics, tried again from another start if not, let go and settled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from experiments.assembly.policies import StepPolicy
from experiments.assembly.records import AssemblyRecord, StepRecord
from experiments.insertion import insert
from refinery.errors import RefineryError
from refinery.initial_state import tool_pose
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.sequence.sequence import Sequence
from refinery.sequence.standing import standing
from refinery.sequence.step import PART, StepSpec
from refinery.success import plug_offset, strict
from refinery.task import Task
from refinery.tick.guard import Level
from refinery_sim.assembly.cell_draw import draw_cell, draw_tray_error
from refinery_sim.assembly.from_sequence import assembly_of
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_sim.assembly.randomness import assembly_rng
from refinery_sim.plant import Mode
from refinery_sim.section import symmetry
from refinery_twin.estimates import ESTIMATES_PER_POLICY_STEP, SocketEstimator

PLACEMENT_SD_M = 1.1e-5
"""Standard deviation of the arm's placement error per axis, [m]: 99 % within 28 um (results/placement.json)."""
SETTLE_S = 3.0
"""Longest time that parts get to come to rest once one is let go, and again when the hand has left, [s]."""
_DRAWS = 20
"""Starts that are drawn at most for one that the arm reaches."""
_AS_INTENDED = np.zeros((1, 3))


class AssemblyRunner:
    """Runs assemblies of one sequence.

    Args:
        sequence: What is put together.
        profile: The arm.

    Raises:
        RefineryError: A task of the sequence cannot be read.
    """

    def __init__(self, sequence: Sequence, profile: RobotProfile) -> None:
        self.sequence = sequence
        parts, base = assembly_of(sequence)
        self._plant = AssemblyPlant(parts, base, profile.home_rad)
        self._kinematics, self._home = profile.arm_kinematics(), profile.home_rad
        self._seats = sequence.nominal_seats()
        self._seed = 0
        self._base_estimate = base.pose
        self._seen: dict[str, Poses] = {}

    def assemble(self, policies: Mapping[str, StepPolicy], seed: int) -> AssemblyRecord:
        """Put everything together, up to the first step that fails.

        Args:
            policies: By step.
            seed: Equal seeds give equal bases, errors and starts.
        """
        self._set_up(seed)
        records = []
        for index, step in enumerate(self.sequence.steps):
            records.append(self._run(index, step, policies[step.name]))
            if not records[-1].seated:
                break
        finished = len(records) == len(self.sequence.steps) and records[-1].seated
        return AssemblyRecord(seed=seed, steps=tuple(records), finished=finished)

    def run_alone(self, index: int, policy: StepPolicy, seed: int) -> AssemblyRecord:
        """Run one step with all parts before it in the middle of their seats, and known to be there.

        Args:
            index: Of the step.
            policy: Its policy.
            seed: As in :meth:`assemble`.
        """
        self._set_up(seed)
        step = self.sequence.steps[index]
        before = [earlier.part for earlier in self.sequence.steps[:index]]
        self._plant.put({part: self._plant.base @ self._seats[part] for part in before})
        self._plant.settle(SETTLE_S)
        self._seen = {part: self._plant.part_pose(part) for part in before}
        record = self._run(index, step, policy)
        return AssemblyRecord(seed=seed, steps=(record,), finished=record.seated)

    def _set_up(self, seed: int) -> None:
        drawn = draw_cell(self.sequence, self._plant.task.noise, seed)
        self._seed, self._seen, self._base_estimate = seed, {}, drawn.estimate
        self._plant.reset(socket=drawn.base, control_bias_m=drawn.control_bias_m)

    def _run(self, index: int, step: StepSpec, policy: StepPolicy) -> StepRecord:
        plant, task = self._plant, policy.runtime.task
        plant.hold(step.part, self._tray_grasp(index), step.grasp.force_n)
        estimate = self._estimated_seat(step)
        true_seat, began = plant.seat(step.part), plant.steps
        verified, stopped, attempts = False, "", 0
        while attempts < step.attempts and not verified and plant.holds(step.part):
            self._start(index, attempts, policy, estimate)
            decision = insert(policy.runtime, plant, self._estimates(index, attempts, step, task, estimate), None)
            stopped = decision.reason.name.lower() if decision.level is Level.STOP else ""
            holds = plant.holds(step.part)
            stopped = stopped if holds else "dropped"
            verified = holds and self._looks_seated(step, task, estimate)
            attempts += 1
        insertion_s = (plant.steps - began) * 1e-3
        plant.set_mode(Mode.TRAJECTORY)
        if verified:
            self._let_go(step, task)
        truth = plant.truth(step.part)
        return StepRecord(
            step=step.name,
            seated=verified and all(plant.truth(part).seated for part in self._placed(index)),
            verified=verified,
            attempts=attempts,
            stopped=stopped,
            insertion_s=insertion_s,
            estimate_error_mm=_across_mm(true_seat, estimate),
            carried_mm=_across_mm(plant.base @ self._seats[step.part], true_seat),
            height_mm=1e3 * float(truth.offset.height_m[0]),
            lateral_mm=1e3 * float(truth.offset.lateral_m[0]),
            angle_deg=float(np.degrees(truth.offset.angle_rad[0])),
        )

    def _placed(self, index: int) -> list[str]:
        """Names of the parts that should be seated after a step: those that were put there, and its own."""
        present = {*self._seen, self.sequence.steps[index].part}
        return [step.part for step in self.sequence.steps[: index + 1] if step.part in present]

    def _tray_grasp(self, index: int) -> Array:
        """Draw how the part sits in the hand: the jaws centre what the tray is off across them and leave the rest."""
        off = draw_tray_error(self.sequence, index, self._seed)
        return np.array([[off.pos_m[0, 0], 0.0, 0.0]])

    def _estimated_seat(self, step: StepSpec) -> Poses:
        """Return where the robot believes the seat to be, without jitter: by camera, or by the part it stands on."""
        place = step.socket
        if place.mode == PART and place.part in self._seen:
            return self._seen[place.part] @ place.pose()
        return self._base_estimate @ self._seats[step.part]

    def _estimates(
        self, index: int, attempt: int, step: StepSpec, task: Task, estimate: Poses
    ) -> Callable[[int], Poses]:
        """Return the estimates of an insertion by policy step; only a camera's jitter."""
        jitter_m = 0.0 if step.socket.mode == PART else task.noise.estimate_jitter_m
        estimator = SocketEstimator(unjittered=estimate, jitter_m=jitter_m, seed=self._seed)

        def at(tick: int) -> Poses:
            # The twin counts hand-overs, and has several estimates in a policy step.
            return estimator.at(step=index, attempt=attempt + 1, tick=ESTIMATES_PER_POLICY_STEP * tick)

        return at

    def _start(self, index: int, attempt: int, policy: StepPolicy, estimate: Poses) -> None:
        """Put the arm where placement leaves it: at a start of the policy, by the estimate and the intended grasp."""
        off = assembly_rng(self._seed, step=index, attempt=attempt, purpose="placement").normal(0, PLACEMENT_SD_M, 3)
        # As the sampler does, starts that the arm cannot reach are left out.
        for draw in range(_DRAWS):
            theta = policy.start(assembly_rng(self._seed, step=index, attempt=attempt, purpose="start", tick=draw))
            tool = tool_pose(estimate, theta, policy.runtime.task.plug.tool_from_plug)
            placed = Poses(pos_m=tool.pos_m + off, quat_xyzw=tool.quat_xyzw)
            joints, reached = self._kinematics.inverse(placed, self._home)
            if reached[0]:
                self._plant.move_arm(joints[0])
                return
        name = self.sequence.steps[index].name
        raise RefineryError(
            f"seed {self._seed}, step {name}: expected a start that the arm reaches, got none in {_DRAWS} draws around "
            f"{estimate.pos_m[0].round(4).tolist()}; is a part before it where it should be?"
        )

    def _looks_seated(self, step: StepSpec, task: Task, estimate: Poses) -> bool:
        """Judge as the robot does: by its kinematics, the intended grasp and the estimate."""
        plug = self._plant.tool @ task.plug.tool_from_plug_at(_AS_INTENDED)
        return bool(strict(plug_offset(estimate, plug, symmetry(task.plug.section)), step.seating)[0])

    def _let_go(self, step: StepSpec, task: Task) -> None:
        plant = self._plant
        self._seen[step.part] = standing(plant.tool @ task.plug.tool_from_plug_at(_AS_INTENDED))
        plant.open(plant.gripper_width_m + 2 * step.grasp.open_by_m)
        plant.settle(SETTLE_S)
        plant.move_arm(self._home)
        plant.settle(SETTLE_S)


def _across_mm(seat: Poses, other: Poses) -> float:
    """Distance of another pose from a seat, across the seat's axis, [mm]."""
    return 1e3 * float(np.linalg.norm((seat.inverse() @ other).pos_m[0, :2]))
