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
from refinery_sim.assembly.from_sequence import assembly_of
from refinery_sim.assembly.plant import AssemblyPlant
from refinery_sim.assembly.randomness import assembly_rng
from refinery_sim.plant import Mode
from refinery_sim.section import symmetry

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
        base, self._base_estimate, control_bias_m = self.drawn(seed)
        self._seed, self._seen = seed, {}
        self._plant.reset(socket=base, control_bias_m=control_bias_m)

    def drawn(self, seed: int) -> tuple[Poses, Poses, Array]:
        """Draw what is constant in a run.

        Args:
            seed: Of the run.

        Returns:
            Where the base is clamped, where the camera sees it, both in the arm's base frame, and the error of the arm,
            shape (3,), [m].
        """
        spec, noise = self.sequence.base, self._plant.task.noise
        place = assembly_rng(seed, step=0, attempt=0, purpose="base")
        xyz = np.asarray(spec.nominal_xyz_m) + place.uniform(-1, 1, 3) * spec.range_xyz_m
        base = Poses.from_xyz_rpy(xyz, (0.0, 0.0, float(place.uniform(-1, 1)) * spec.range_yaw_rad))
        camera = assembly_rng(seed, step=0, attempt=0, purpose="estimate_bias")
        off = np.append(camera.normal(0, noise.estimate_bias_m, 2), 0.0)
        turn = Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, camera.normal(0, noise.estimate_bias_yaw_rad)))
        estimate = Poses(pos_m=base.pos_m + off, quat_xyzw=(base @ turn).quat_xyzw)
        arm = assembly_rng(seed, step=0, attempt=0, purpose="control_bias")
        return base, estimate, arm.normal(0, noise.control_bias_m, 3)

    def _run(self, index: int, step: StepSpec, policy: StepPolicy) -> StepRecord:
        plant, task = self._plant, policy.runtime.task
        plant.hold(step.part, self._tray_grasp(index))
        estimate = self._estimated_seat(step)
        true_seat, began = plant.seat(step.part), plant.steps
        verified, stopped, attempts = False, "", 0
        while attempts < step.attempts and not verified:
            self._start(index, attempts, policy, estimate)
            decision = insert(policy.runtime, plant, self._estimates(index, attempts, step, task, estimate), None)
            stopped = decision.reason.name.lower() if decision.level is Level.STOP else ""
            verified = self._looks_seated(step, task, estimate)
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
        rng = assembly_rng(self._seed, step=index, attempt=0, purpose="tray")
        return np.array([[rng.uniform(-1, 1) * self.sequence.tray_error.xy_m, 0.0, 0.0]])

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

        def at(tick: int) -> Poses:
            rng = assembly_rng(self._seed, step=index, attempt=attempt, purpose="jitter", tick=tick)
            return Poses(pos_m=estimate.pos_m + rng.uniform(-1, 1, 3) * jitter_m, quat_xyzw=estimate.quat_xyzw)

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
