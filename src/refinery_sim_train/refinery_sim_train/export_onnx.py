"""Export a trained actor to one ONNX file and prove it: ONNX Runtime against torch on real observations, or no file."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from refinery.bundle import OnnxPolicy, with_metadata
from refinery.errors import GainsError, RefineryError
from refinery.observation import OBSERVATION_SIZE
from refinery.task import Task
from refinery_sim_train.learn.agent import Agent

PARITY_TOLERANCE = 1e-4
"""Largest accepted difference of an action (share of full action) between ONNX Runtime and torch, both in float32."""


class _Deployed(torch.nn.Module):
    """The actor's mean action, clipped to what the action decoder accepts anyway."""

    inputs: tuple[str, ...] = ("obs",)
    outputs: tuple[str, ...] = ("action",)

    def __init__(self, agent: Agent) -> None:
        super().__init__()
        self.actor = agent.actor

    def blank(self) -> tuple[torch.Tensor, ...]:
        """Inputs of the shapes that are deployed."""
        return (torch.zeros(1, OBSERVATION_SIZE),)

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.clamp(self.actor.mlp(self.actor.obs_normalizer(obs)), -1.0, 1.0)


class _DeployedLstm(_Deployed):
    """The same for an actor with an LSTM, its state as extra input and output."""

    inputs = ("obs", "h", "c")
    outputs = ("action", "h_out", "c_out")

    def blank(self) -> tuple[torch.Tensor, ...]:
        state = torch.zeros(1, 1, self.actor.rnn.rnn.hidden_size)
        return (torch.zeros(1, OBSERVATION_SIZE), state, state.clone())

    def forward(  # type: ignore[override]
        self, obs: torch.Tensor, h: torch.Tensor, c: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        normalised = self.actor.obs_normalizer(obs)
        output, (h_out, c_out) = self.actor.rnn.rnn(normalised[None], (h, c))
        action = self.actor.mlp(torch.cat([normalised, output[0]], dim=-1))
        return torch.clamp(action, -1.0, 1.0), h_out, c_out


def export_policy(
    agent: Agent, task: Task, episodes: NDArray[np.float32], *, accept_other_gains: bool = False
) -> tuple[bytes, float]:
    """Export the deterministic policy with its normaliser and metadata.

    Args:
        agent: Trained agent.
        task: The task it is to solve.
        episodes: Observations of real episodes to compare on, shape (T, n, N).
        accept_other_gains: The task may ask for other control settings than it was trained with; the metadata say so.

    Returns:
        The ONNX file's bytes and the largest action difference found by the parity gate.

    Raises:
        GainsError: The agent has no record of what it was trained with.
        BundleError: It was trained with other control settings than the task's, and that was not accepted.
        RefineryError: The gate failed; nothing was written.
    """
    if agent.trained_with is None:
        raise GainsError(f"the policy for task {task.name}: expected a record of what it was trained with, got none")
    module = (_DeployedLstm(agent) if agent.spec.lstm else _Deployed(agent)).eval()
    # It warns of torchvision operators, which no policy here has.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        path = Path(folder) / "policy.onnx"
        torch.onnx.export(
            module,
            module.blank(),
            str(path),
            input_names=list(module.inputs),
            output_names=list(module.outputs),
            opset_version=18,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        content = with_metadata(path.read_bytes(), task, agent.trained_with, accept_other_gains=accept_other_gains)
    worst = parity_error(content, agent, episodes)
    if not worst <= PARITY_TOLERANCE:
        raise RefineryError(
            f"export: ONNX Runtime and torch differ by {worst:.2e} of full action (allowed {PARITY_TOLERANCE:.0e}); "
            "no bundle was written"
        )
    return content, worst


def parity_error(content: bytes, agent: Agent, episodes: NDArray[np.float32]) -> float:
    """Largest absolute action difference between ONNX Runtime and torch over whole episodes (T, n, N), step by step."""
    policy, worst = OnnxPolicy(content), 0.0
    with torch.inference_mode():
        reference = agent.act_sequences(torch.from_numpy(episodes)).clamp(-1.0, 1.0).numpy()
    for episode in range(episodes.shape[1]):
        policy.reset()
        for observation, expected in zip(episodes[:, episode], reference[:, episode], strict=True):
            difference = np.abs(policy(observation[None])[0] - expected)
            worst = max(worst, float(difference.max())) if np.all(np.isfinite(difference)) else float("inf")
    return worst
