"""The arm among the parts of an assembly: everything a plant does, and jaws that take parts and let them go.

Taking a part makes it a child of the hand, with the play that flat pads leave it; letting it go leaves it free under
gravity and contact, where it is. So errors carry over from one part to the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import mujoco
import numpy as np
from numpy.typing import ArrayLike

from refinery.config import check
from refinery.errors import RefineryError
from refinery.rotations import Array, Poses, wxyz_from_xyzw, xyzw_from_wxyz
from refinery.success import plug_offset, strict
from refinery_sim.assembly.cell_model import build_cell, fingers_touch, open_jaws, put_base
from refinery_sim.assembly.grasping import (
    MAX_FORCE_N,
    MAX_WIDTH_M,
    PAD_FRICTION,
    Fit,
    GraspResult,
    fit_between_pads,
    width_between_pads_m,
)
from refinery_sim.assembly.parts import LATERAL_TOLERANCE_M, FixedBase, PartSpec, PartTruth, check_parts
from refinery_sim.held_plug import hold_at
from refinery_sim.plant import TIMESTEP_S, Plant
from refinery_sim.section import symmetry

_LOOK_STEPS = 50
SLIP_FILTER_S = 0.2
"""Time constant of the load by which a part slips out of the jaws, [s]. Stiff parts chatter: in an ordinary insertion
single steps load the pads with up to 200 N, which moves nothing far, and the mean is what the impedance asks for."""
_SLIP_LOOK_STEPS = 4


class AssemblyPlant(Plant):
    """A cell with a base and several parts, at most one of them in the hand.

    What :class:`~refinery_sim.plant.Plant` says of the plug is said of the held part; while nothing is held, of the
    tool. The wrench is that of all contacts with the held part, the fingers and the palm.

    Args:
        parts: All parts, in the order they are put together.
        base: What stands still.
        home_rad: Joints after :meth:`reset`, shape (7,), [rad].

    Raises:
        ConfigError: There is no part, names repeat, or a part comes before its parent.
    """

    def __init__(self, parts: Sequence[PartSpec], base: FixedBase, home_rad: ArrayLike) -> None:
        check(len(parts) > 0, "parts", "one part or more", parts)
        check_parts(parts)
        self.parts = {part.name: part for part in parts}
        """All parts by name."""
        self._home = np.asarray(home_rad, dtype=np.float64).copy()
        names: list[str | None] = [None, *self.parts]
        self._cells = {name: build_cell(base, parts, name, timestep_s=TIMESTEP_S) for name in names}
        self._held: str | None = None
        self._width_m = MAX_WIDTH_M
        self._grip_n = MAX_FORCE_N
        self._load = np.zeros(3)
        self._base = base.pose
        self._use(self._cells[None])
        self._begin()

    @property
    def held(self) -> str | None:
        """Name of the part in the hand; None is an empty hand."""
        return self._held

    def holds(self, name: str) -> bool:
        """Tell whether a part is in the hand."""
        return self._held == name

    @property
    def pad_load_n(self) -> float:
        """What the pads carry along their faces, low-passed: contact force on the held part and its weight, [N]."""
        closing = self._data.site_xmat[self._at.tool_site].reshape(3, 3)[:, 1]
        return float(np.linalg.norm(self._load - closing * (closing @ self._load)))

    @property
    def gripper_width_m(self) -> float:
        """Distance of the pads, [m]."""
        return self._width_m

    @property
    def base(self) -> Poses:
        """True pose of the base's frame in the arm's base frame, batch of one."""
        return self._base

    @property
    def socket(self) -> Poses:
        """True seat of the held part, as its parent sits; with an empty hand the base. In the arm's base frame."""
        return self.base if self._held is None else self.seat(self._held)

    def reset(
        self,
        *,
        socket: Poses | None = None,
        grasp: Array | None = None,
        friction: float | None = None,
        control_bias_m: ArrayLike = (0.0, 0.0, 0.0),
        parts: Mapping[str, Poses] | None = None,
    ) -> None:
        """Put the arm home at rest with an empty, open hand, and all parts into their trays.

        Args:
            socket: Pose of the base's frame in the arm's base frame, batch of one; where it was by default.
            grasp: Nothing: parts are held as they are taken.
            friction: Sliding friction coefficient of all parts; as each task says by default.
            control_bias_m: Error of every commanded tool position from now on, shape (3,), [m].
            parts: Where parts stand instead of their trays: tip frames in the arm's base frame by name.

        Raises:
            RefineryError: A grasp was given.
        """
        if grasp is not None:
            raise RefineryError("an assembly's parts are held as they are taken: expected no grasp, got one")
        self._base = self._base if socket is None else socket
        self._held, self._width_m = None, MAX_WIDTH_M
        self._load[:] = 0.0
        self._use(self._cells[None])
        fingers_touch(self._model, True)
        for cell in self._cells.values():
            open_jaws(cell.model, self._width_m)
            if friction is not None:
                movable = cell.model.body_dofnum[cell.model.geom_bodyid] > 0
                cell.model.geom_friction[movable, 0] = friction
        # While sleep is enabled, MuJoCo computes where static bodies are once, after their data are reset.
        self._put_socket(self._base)
        super().reset(socket=self._base, control_bias_m=control_bias_m)
        self.put(parts or {})

    def put(self, poses: Mapping[str, Poses]) -> None:
        """Put free parts at rest to poses of their tip frames in the arm's base frame, each a batch of one.

        Raises:
            RefineryError: A part is unknown, or in the hand.
        """
        for name, pose in poses.items():
            if name not in self.parts or name == self._held:
                free = ", ".join(part for part in self.parts if part != self._held)
                raise RefineryError(f"part: expected one that is free ({free}), got {name!r}")
            joint = self._data.joint(name)
            joint.qpos[:3], joint.qpos[3:] = pose.pos_m[0], wxyz_from_xyzw(pose.quat_xyzw[0])
            joint.qvel[:] = 0.0
        mujoco.mj_forward(self._model, self._data)

    def hold(self, name: str, grasp: Array, force_n: float = MAX_FORCE_N) -> None:
        """Put a part into the hand, wherever it was, and close the jaws on it.

        Args:
            name: Of the part.
            grasp: How it sits, shape (1, 3), order :data:`refinery.initial_state.GRASP_NAMES`, [m, m, rad].
            force_n: Grasping force, [N].

        Raises:
            RefineryError: Something is held already, or there is no such part.
        """
        if self._held is not None or name not in self.parts:
            raise RefineryError(f"hand: expected an empty one and a known part, got {self._held!r} in it and {name!r}")
        plug = self.parts[name].task.plug
        self._take(name, plug.tool_from_plug_at(grasp), width_between_pads_m(plug), force_n)

    def close(self, width_m: float, epsilon_m: tuple[float, float], force_n: float = MAX_FORCE_N) -> GraspResult:
        """Close the jaws on what is between them, or entirely.

        Args:
            width_m: Expected width of the part, [m].
            epsilon_m: How much less and how much more it may be, [m], as franka_gripper's grasp has it.
            force_n: Grasping force, [N]; a part that is loaded by more than this holds slips out (:meth:`step`).

        Returns:
            What is between the pads and whether it is held now. A part that is refused is left where it is, with the
            pads beside it.

        Raises:
            RefineryError: A part is held already.
        """
        if self._held is not None:
            raise RefineryError(f"jaws: expected an empty hand, got one that holds {self._held}; open it first")
        found = self._between_pads()
        if found is None:
            self._width_m = 0.0
            self._open_all(0.0)
            return GraspResult(success=abs(width_m) <= epsilon_m[0], width_m=0.0)
        name, fit, wide = found
        if not width_m - epsilon_m[0] <= wide <= width_m + epsilon_m[1]:
            self._width_m = wide
            self._open_all(wide)
            return GraspResult(success=False, width_m=wide, part=name)
        self._take(name, fit.tool_from_part, wide, force_n)
        return GraspResult(success=True, width_m=wide, part=name, grasp=fit.grasp)

    def open(self, width_m: float) -> None:
        """Move the pads apart to a distance in [0, 0.08] m; a part that is narrower falls out of the hand.

        Raises:
            RefineryError: The distance is out of range.
        """
        if not 0.0 <= width_m <= MAX_WIDTH_M:
            raise RefineryError(f"jaws: expected a width in [0, {MAX_WIDTH_M:g}] m, got {width_m:g}")
        if self._held is not None:
            if width_m <= self._width_m:
                return
            self._let_go()
        self._width_m = width_m
        fingers_touch(self._model, True)
        self._open_all(width_m)

    def step(self, count: int = 1) -> None:
        """Advance by ``count`` physics steps; an overloaded part slips out of the jaws (:attr:`pad_load_n`).

        It is free from then on and the jaws shut. The fingers, which would be inside it, touch nothing until they are
        opened.

        Raises:
            RefineryError: The simulation diverged.
        """
        while count > 0:
            piece = count if self._held is None else min(count, _SLIP_LOOK_STEPS)
            super().step(piece)
            count -= piece
            if self._held is None:
                continue
            body = self._at.plug_body
            load = self._data.cfrc_ext[body, 3:] + self._model.body_mass[body] * self._model.opt.gravity
            self._load += (1.0 - np.exp(-piece * TIMESTEP_S / SLIP_FILTER_S)) * (load - self._load)
            if self.pad_load_n > 2 * PAD_FRICTION * self._grip_n:
                self._let_go()
                self._width_m = 0.0
                fingers_touch(self._model, False)
                self._open_all(0.0)

    @property
    def resting(self) -> bool:
        """Whether every free part has been at rest for so long that it sleeps."""
        trees = self._model.body_treeid[[self._model.body(name).id for name in self.parts if name != self._held]]
        return bool(np.all(self._data.tree_asleep[trees] >= 0))

    def settle(self, longest_s: float) -> bool:
        """Go on until all free parts rest, for so long at most.

        Returns:
            Whether they rest.
        """
        until = self.steps + round(longest_s / TIMESTEP_S)
        while not self.resting and self.steps < until:
            self.step(min(_LOOK_STEPS, until - self.steps))
        return self.resting

    def part_poses(self) -> dict[str, Poses]:
        """Return the true tip frames of all parts in the arm's base frame, each a batch of one."""
        return {name: self.part_pose(name) for name in self.parts}

    def part_pose(self, name: str) -> Poses:
        """Return the true tip frame of a part in the arm's base frame, batch of one."""
        if name == self._held:
            return self.plug
        joint = self._data.joint(name)
        return Poses.single(joint.qpos[:3].copy(), xyzw_from_wxyz(joint.qpos[3:]))

    def seat(self, name: str) -> Poses:
        """Return the seat of a part in the arm's base frame, as its parent sits, batch of one."""
        part = self.parts[name]
        return (self.part_pose(part.parent) if part.parent else self.base) @ part.seat

    def truth(self, name: str) -> PartTruth:
        """Return where a part really is and whether it is seated."""
        part, pose = self.parts[name], self.part_pose(name)
        task = part.task
        offset = plug_offset(self.seat(name), pose, symmetry(task.plug.section))
        seated = bool(strict(offset, replace(task.success, lateral_tolerance_m=LATERAL_TOLERANCE_M))[0])
        depth_m = task.rim_height_m - float(offset.height_m[0])
        return PartTruth(pose=pose, seated=seated, offset=offset, depth_m=depth_m)

    def _between_pads(self) -> tuple[str, Fit, float] | None:
        """Find the part that the jaws would close on: of several, the one nearest to how it is meant to be held."""
        tool = self.tool
        fits = []
        for name, part in self.parts.items():
            fit = fit_between_pads(part.task.plug, tool.inverse() @ self.part_pose(name), self._width_m)
            if fit is not None:
                fits.append((name, fit, width_between_pads_m(part.task.plug)))
        return min(fits, key=lambda found: found[1].distance_m, default=None)

    def _let_go(self) -> None:
        """Make the held part a free one, where it is."""
        assert self._held is not None
        name, pose = self._held, self.plug
        self._switch(None)
        self.put({name: pose})
        self._load[:] = 0.0

    def _take(self, name: str, tool_from_part: Poses, wide_m: float, force_n: float) -> None:
        self._width_m, self._grip_n = wide_m, force_n
        self._load[:] = 0.0
        cell = self._cells[name]
        hold_at(cell.model, cell.at, tool_from_part)
        self._switch(name)
        self._open_all(wide_m)

    def _open_all(self, wide_m: float) -> None:
        open_jaws(self._model, wide_m)
        mujoco.mj_forward(self._model, self._data)

    def _switch(self, held: str | None) -> None:
        """Go on with another model: the arm and all parts that are free in both keep their state."""
        old, before = self._data, self._held
        self._held = held
        self._use(self._cells[held])
        new = self._data
        mujoco.mj_resetData(self._model, new)
        new.time = old.time
        new.ctrl[:] = old.ctrl
        joints = self._at.joints
        for field in ("qpos", "qvel", "qacc_warmstart"):
            getattr(new, field)[joints] = getattr(old, field)[joints]
        for name in self.parts:
            if name not in (before, held):
                new.joint(name).qpos[:], new.joint(name).qvel[:] = old.joint(name).qpos, old.joint(name).qvel
        self._set_gains()
        open_jaws(self._model, self._width_m)
        mujoco.mj_forward(self._model, new)

    def _put_socket(self, pose: Poses) -> None:
        for cell in self._cells.values():
            put_base(cell.model, pose)

    def _felt(self) -> Array:
        hand = self._data.cfrc_ext[self._hand]
        return np.asarray(hand if self._held is None else hand + self._data.cfrc_ext[self._at.plug_body])

    @property
    def _hand(self) -> int:
        return int(self._model.body("hand").id)
