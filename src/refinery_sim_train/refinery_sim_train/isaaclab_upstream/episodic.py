"""Isaac Lab's insertion tasks as :class:`refinery_sim_train.env.episodic.Episodic`: whole episodes, each by itself.

Observations and actions have the sizes of the task, not those of a bundle: this serves to evaluate a policy of
the task, and to learn where it succeeds, not to make a bundle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from refinery.errors import RefineryError
from refinery.initial_state import plug_pose
from refinery.rotations import Array, Poses
from refinery.success import PlugOffset
from refinery.task import Task
from refinery_sim_train.arrays import Arrays
from refinery_sim_train.backends.physics import Simulator
from refinery_sim_train.backends.registry import simulator
from refinery_sim_train.env.episodes import Episodes
from refinery_sim_train.isaaclab_upstream.factory_franka import ImposedFrankaEnv, seat_and_align
from refinery_sim_train.isaaclab_upstream.imposed import ImposedStarts
from refinery_sim_train.isaaclab_upstream.slots import nearest_slots


class _IsaacLabEpisodes:
    """What both kinds have in common.

    Args:
        env: The environment.
        task: The task in our terms.
    """

    def __init__(self, env: Any, task: Task) -> None:
        self._env, self.task = env, task
        self.count = int(env.num_envs)
        self.step_index = np.zeros(self.count, dtype=np.int64)
        self._observed: dict[str, torch.Tensor] = {}

    @property
    def simulator(self) -> Simulator:
        """Isaac Lab on the environment's device."""
        return simulator("isaaclab", str(self._env.device))

    def _restart(self, index: NDArray[np.intp] | None) -> None:
        if index is not None and len(index) != self.count:
            raise RefineryError(f"task {self.task.name}: its environments start together, all {self.count} of them")
        self._observed, _ = self._env.reset()
        self.step_index[:] = 0

    def get_observations(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return what Isaac Lab's policy and critic observe, (B, N) and (B, S)."""
        policy, critic = (self._observed[name].detach().cpu().numpy() for name in ("policy", "critic"))
        return policy.astype(np.float32), critic.astype(np.float32)

    def _act(self, action: Array) -> Array:
        sent = torch.as_tensor(action, dtype=torch.float32, device=self._env.device)
        self._observed, reward, *_ = self._env.step(sent)
        self.step_index += 1
        return np.asarray(reward.detach().cpu().numpy(), dtype=np.float64)

    def snapshot(self) -> Arrays:
        """Refuse: Isaac Lab cannot put these tasks back into a state to the bit.

        Raises:
            RefineryError: Always.
        """
        raise RefineryError(f"task {self.task.name}: Isaac Lab's own tasks cannot be resumed; begin the run anew")

    def restore(self, arrays: Arrays) -> None:
        """Refuse, as :meth:`snapshot` does.

        Raises:
            RefineryError: Always.
        """
        self.snapshot()


class ImposedEpisodes(_IsaacLabEpisodes):
    """Factory's PegInsert or AutoMate's Assembly, from the starts that they are given.

    Args:
        env: The environment; from here on nothing in it restarts by itself.
    """

    def __init__(self, env: ImposedStarts) -> None:
        super().__init__(env, env.task)
        env.restarts = False

    def reset(self, episodes: Episodes, index: NDArray[np.intp] | None = None) -> None:
        """Start episodes in all environments; friction and grasp sizes that Isaac Lab fixes stay as they are.

        Raises:
            RefineryError: Only some environments are to start, or the arm cannot reach a start.
        """
        self._env.provider = lambda rows: episodes[rows]
        self._restart(index)

    def step(self, action: Array) -> tuple[Array, PlugOffset, NDArray[np.bool_], NDArray[np.bool_]]:
        """Apply Isaac Lab's actions (B, 6) for one policy step; see :class:`Episodic`."""
        reward = self._act(action)
        return reward, self._env.offset, self._env.strict, self._env.engaged.copy()


class SlotEpisodes(_IsaacLabEpisodes):
    """Factory-Franka, from the states of its bank that are nearest to the starts that are asked for.

    Socket, friction and errors of estimates are those of the state and of Isaac Lab; strict is Isaac Lab's success.

    Args:
        env: The environment, configured :func:`~refinery_sim_train.isaaclab_upstream.factory_franka.without_restarts`.
        task: Initial states, rate and length of the episodes, depth of insertion.
    """

    def __init__(self, env: ImposedFrankaEnv, task: Task) -> None:
        super().__init__(env, task)
        self._bank: Poses | None = None
        self.imposed = Poses.from_xyz_rpy(np.zeros((self.count, 3)), np.zeros((self.count, 3)))
        """Where the parts really started relative to their seats."""
        self._engaged = np.zeros(self.count, dtype=bool)

    def reset(self, episodes: Episodes, index: NDArray[np.intp] | None = None) -> None:
        """Start episodes in all environments; the first call fills the bank.

        Raises:
            RefineryError: Only some environments are to start.
        """
        if self._bank is None:
            self._restart(None)
            self._bank = self._env.forced.relative_poses(*seat_and_align(self._env.progress))
        wanted = episodes.socket.inverse() @ plug_pose(episodes.estimate, episodes.theta)
        slots = nearest_slots(wanted, self._bank)
        self.imposed = self._bank[slots]
        self._env.forced.provider = lambda rows: slots[rows]
        self._restart(index)
        self._engaged[:] = False

    def step(self, action: Array) -> tuple[Array, PlugOffset, NDArray[np.bool_], NDArray[np.bool_]]:
        """Apply Isaac Lab's actions (B, 8) for one policy step; see :class:`Episodic`."""
        reward, progress = self._act(action), self._env.progress
        names = ("z_distance", "xy_distance", "euler_xy_diff")
        height, lateral, angle = (getattr(progress, name).cpu().numpy().astype(np.float64) for name in names)
        success = self.task.success
        self._engaged |= (height < self.task.rim_height_m) & (lateral < success.engaged_error_m)
        strict = progress.is_success.cpu().numpy().copy()
        return reward, PlugOffset(height_m=height, lateral_m=lateral, angle_rad=angle), strict, self._engaged.copy()
