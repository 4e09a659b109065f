"""Many insertions at once: a task's cells in a simulator, with the nodes' observation and action code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from refinery.action import ActionDecoder
from refinery.errors import RefineryError
from refinery.initial_state import GRASP, tool_pose
from refinery.kinematics import ArmKinematics
from refinery.observation import ObservationEncoder
from refinery.rotations import Array, Poses
from refinery.success import PlugOffset, engaged, strict
from refinery.task import Task
from refinery_sim.model import HAND_FROM_TOOL_Z_M
from refinery_sim_train.arrays import Arrays, prefixed, under
from refinery_sim_train.backends.physics import Physics, Simulator
from refinery_sim_train.env.episodes import Episodes
from refinery_sim_train.env.reward import step_reward


class InsertionEnv:
    """A batch of insertion episodes.

    Args:
        task: The insertion task.
        physics: Cells of the task, B of them.
        kinematics: Kinematics of the simulated arm, for resets and the measured tool pose.
        home_rad: Initial guess of the inverse kinematics, shape (7,), [rad].
    """

    def __init__(self, task: Task, physics: Physics, *, kinematics: ArmKinematics, home_rad: ArrayLike) -> None:
        count = physics.count
        self.task, self.count, self.physics = task, count, physics
        self._kinematics, self._home = kinematics, np.asarray(home_rad, dtype=np.float64)
        self.decoder = ActionDecoder(task.control, count)
        self.encoder = ObservationEncoder(task, count)
        self._last = self.decoder.smoothed
        self.step_index = np.zeros(count, dtype=np.int64)
        """Policy steps taken in the present episode, shape (B,)."""
        self._engaged = np.zeros(count, dtype=bool)
        self.socket = _identity(count)
        """True socket poses in the base frame."""
        self.measured = _identity(count)
        """Measured tool poses in the base frame."""
        self.filtered = _identity(count)
        """Running mean of the socket estimates, base frame."""
        self.relative = _identity(count)
        """True plug poses in the true socket frame."""
        self._tool_from_plug = _identity(count)
        self._estimate = _identity(count)
        self._control_bias = np.zeros((count, 3))
        self._jitter = np.zeros((count, task.control.episode_steps + 1, 3))

    def reset(self, episodes: Episodes, index: NDArray[np.intp] | None = None) -> None:
        """Start episodes in the environments ``index`` (all by default); call :meth:`get_observations` after.

        Args:
            episodes: Episodes to start, one per index.
            index: Environments to restart.

        Raises:
            RefineryError: An initial state is out of the arm's reach.
        """
        rows = np.arange(self.count) if index is None else index
        goal = tool_pose(episodes.estimate, episodes.theta, self.task.plug.tool_from_plug)
        joints, reached = self._kinematics.inverse(goal, self._home)
        if not reached.all():
            bad = episodes.theta[~reached][0].round(4).tolist()
            raise RefineryError(f"task {self.task.name}: the arm cannot reach initial state {bad}; move the socket")
        grasp = episodes.theta[:, GRASP]
        tool_from_plug = self.task.plug.tool_from_plug_at(grasp)
        held = Poses(pos_m=tool_from_plug.pos_m + _HAND_FROM_TOOL_M, quat_xyzw=tool_from_plug.quat_xyzw)
        self.physics.impose(rows, joints, episodes.socket, held, episodes.friction)
        measured = self._kinematics.forward(joints)
        relative = episodes.socket.inverse() @ (measured @ tool_from_plug)
        for mine, theirs in (
            (self.socket, episodes.socket),
            (self._estimate, episodes.estimate),
            (self._tool_from_plug, tool_from_plug),
            (self.measured, measured),
            (self.relative, relative),
        ):
            mine.pos_m[rows], mine.quat_xyzw[rows] = theirs.pos_m, theirs.quat_xyzw
        self._control_bias[rows], self._jitter[rows] = episodes.control_bias_m, episodes.jitter_m
        self.step_index[rows], self._engaged[rows] = 0, False
        self.decoder.reset(measured, rows)
        self.encoder.reset(measured, rows, grasp=grasp)
        self._command(measured, rows)

    def _command(self, target: Poses, rows: NDArray[np.intp] | slice = slice(None)) -> None:
        """Set the targets of the impedance law, with the arm's own position error."""
        biased = Poses(pos_m=target.pos_m + self._control_bias[rows], quat_xyzw=target.quat_xyzw)
        self.physics.command(biased, rows)

    @property
    def simulator(self) -> Simulator:
        """What steps the physics."""
        return self.physics.simulator

    def get_observations(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Filter one socket estimate and encode the observations; call it once per policy step.

        Returns:
            Policy observations (B, N) and privileged observations (B, P), P as
            :data:`refinery_sim_train.env.episodic.PRIVILEGED_SIZE`.
        """
        jitter = self._jitter[np.arange(self.count), np.minimum(self.step_index, self._jitter.shape[1] - 1)]
        estimate = Poses(pos_m=self._estimate.pos_m + jitter, quat_xyzw=self._estimate.quat_xyzw)
        self.filtered = self.encoder.filter_socket(estimate)
        observation = self.encoder.encode(self.measured, self.filtered, self.decoder.target, self.decoder.smoothed)
        estimate_error = self.socket.rotation.apply(self._estimate.pos_m - self.socket.pos_m, inverse=True)
        true = self.relative
        parts = (
            true.pos_m / 0.01,
            np.tanh(true.pos_m / 0.001),
            true.rotation.as_rotvec() / 0.1,
            estimate_error[:, :2] / 0.001,
            self._control_bias[:, :2] / 0.001,
        )
        return observation, np.concatenate(parts, axis=1).astype(np.float32)

    @property
    def plug(self) -> Poses:
        """True plug poses in the base frame, from the last measurement."""
        return self.measured @ self._tool_from_plug

    def step(self, action: Array) -> tuple[Array, PlugOffset, NDArray[np.bool_], NDArray[np.bool_]]:
        """Apply actions for one policy step.

        Args:
            action: Normalised actions, shape (B, 6).

        Returns:
            Rewards (B,), true plug offsets, strict success now (B,), engaged at any step so far (B,).
        """
        self.begin_step(action)
        self.physics.step()
        return self.end_step()

    def begin_step(self, action: Array) -> None:
        """Decode actions (B, 6) and command their targets: the part of a step before the physics."""
        self._last = self.decoder.smoothed
        self._command(self.decoder.decode(action, self.measured, self.filtered))

    def end_step(self) -> tuple[Array, PlugOffset, NDArray[np.bool_], NDArray[np.bool_]]:
        """Measure what the physics did: the part of a step after it, which :meth:`step` returns."""
        self._measure()
        self.step_index += 1
        reward, errors = step_reward(self.task, self.relative, self.decoder.smoothed, self._last)
        self._engaged |= engaged(_ORIGIN, self.relative, self.task.success, self.task.rim_height_m)
        return reward, errors, strict(errors, self.task.success), self._engaged.copy()

    def drive(self, target: Poses) -> None:
        """Command tool poses (base frame, batch of B) for one policy period, past decoder and episode.

        The target is not clipped: keep it within the largest position error of the impedance controller.
        """
        self._command(target)
        self.physics.step()
        self._measure()

    def _measure(self) -> None:
        self.measured = self._kinematics.forward(self.physics.joints_rad())
        self.relative = self.socket.inverse() @ self.plug

    def snapshot(self) -> Arrays:
        """Everything the next steps depend on, as plain arrays; :meth:`restore` goes on from it to the bit."""
        own = {f"{name}.{key}": np.array(value) for name, key, value in self._state()}
        return own | prefixed("physics", self.physics.snapshot())

    def restore(self, arrays: Arrays) -> None:
        """Go back to a :meth:`snapshot` of an environment of the same task and count."""
        for name, key, value in self._state():
            value[...] = arrays[f"{name}.{key}"]
        self.physics.restore(under("physics", arrays))

    def _state(self) -> Iterator[tuple[str, str, NDArray[Any]]]:
        for name in ("step_index", "_engaged", "_control_bias", "_jitter"):
            yield "env", name, getattr(self, name)
        poses = (
            ("socket", self.socket),
            ("measured", self.measured),
            ("filtered", self.filtered),
            ("relative", self.relative),
            ("_held", self._tool_from_plug),
            ("_estimate", self._estimate),
        )
        for name, value in poses:
            yield name, "pos_m", value.pos_m
            yield name, "quat_xyzw", value.quat_xyzw
        for name, part in (("decoder", self.decoder), ("encoder", self.encoder)):
            yield from ((name, key, value) for key, value in part.state().items())


_HAND_FROM_TOOL_M = np.array([0.0, 0.0, HAND_FROM_TOOL_Z_M])
_ORIGIN = Poses.from_xyz_rpy(np.zeros(3), np.zeros(3))


def _identity(count: int) -> Poses:
    return Poses.from_xyz_rpy(np.zeros((count, 3)), np.zeros((count, 3)))
