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
from refinery.errors import RefineryError
from refinery.observation import OBSERVATION_SIZE
from refinery.task import Task
from refinery_sim_train.learn.agent import Agent

PARITY_TOLERANCE = 1e-4
"""Largest accepted difference of an action (share of full action) between ONNX Runtime and torch, both in float32."""
GATE_OBSERVATIONS = 20_000
"""Observations compared at most, taken evenly from all that were recorded."""


class _Deployed(torch.nn.Module):
    """Normaliser and mean action, clipped to what the action decoder accepts anyway."""

    def __init__(self, agent: Agent) -> None:
        super().__init__()
        self.normalizer, self.mlp = agent.actor.obs_normalizer, agent.actor.mlp

    def forward(self, obs: torch.Tensor) -> torch.Tensor:
        return torch.clamp(self.mlp(self.normalizer(obs)), -1.0, 1.0)


def export_policy(agent: Agent, task: Task, observations: NDArray[np.float32]) -> tuple[bytes, float]:
    """Export the deterministic policy with its normaliser and metadata.

    Args:
        agent: Trained agent.
        task: The task it was trained for.
        observations: Real observations to compare on, shape (n, N).

    Returns:
        The ONNX file's bytes and the largest action difference found by the parity gate.

    Raises:
        RefineryError: The gate failed; nothing was written.
    """
    module = _Deployed(agent).eval()
    # It warns of torchvision operators, which no policy here has.
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        path = Path(folder) / "policy.onnx"
        torch.onnx.export(
            module,
            (torch.zeros(1, OBSERVATION_SIZE),),
            str(path),
            input_names=["obs"],
            output_names=["action"],
            opset_version=18,
            external_data=False,
            dynamo=True,
            verbose=False,
        )
        content = with_metadata(path.read_bytes(), task)
    worst = parity_error(content, module, observations)
    if not worst <= PARITY_TOLERANCE:
        raise RefineryError(
            f"export: ONNX Runtime and torch differ by {worst:.2e} of full action (allowed {PARITY_TOLERANCE:.0e}); "
            "no bundle was written"
        )
    return content, worst


def parity_error(content: bytes, module: torch.nn.Module, observations: NDArray[np.float32]) -> float:
    """Largest absolute action difference between ONNX Runtime and torch over observations (n, N)."""
    policy = OnnxPolicy(content)
    pick = np.linspace(0, len(observations) - 1, min(len(observations), GATE_OBSERVATIONS)).astype(int)
    with torch.inference_mode():
        reference = module(torch.from_numpy(observations[pick])).numpy()
    worst = 0.0
    for row, expected in zip(observations[pick], reference, strict=True):
        difference = np.abs(policy(row[None]) - expected)
        worst = max(worst, float(difference.max())) if np.all(np.isfinite(difference)) else float("inf")
    return worst
