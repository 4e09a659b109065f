"""Export a trained actor to one ONNX file and prove it: ONNX Runtime against torch on real observations, or no file."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from refinery.bundle import OnnxPolicy, with_metadata
from refinery.errors import GainsError, RefineryError
from refinery.task import Task
from refinery_sim_train.learn.deployed import Policy

PARITY_TOLERANCE = 1e-4
"""Largest accepted difference of an action (share of full action) between ONNX Runtime and torch, both in float32."""


def export_policy(
    agent: Policy, task: Task, episodes: NDArray[np.float32], *, accept_other_gains: bool = False
) -> tuple[bytes, float]:
    """Export the deterministic policy with its normaliser and metadata.

    Args:
        agent: Trained policy.
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
    module = agent.deployed().eval()
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
        exported = without_traces(path.read_bytes())
    content = with_metadata(exported, task, agent.trained_with, accept_other_gains=accept_other_gains)
    worst = parity_error(content, agent, episodes)
    if not worst <= PARITY_TOLERANCE:
        raise RefineryError(
            f"export: ONNX Runtime and torch differ by {worst:.2e} of full action (allowed {PARITY_TOLERANCE:.0e}); "
            "no bundle was written"
        )
    return content, worst


def without_traces(content: bytes) -> bytes:
    """Return an exported model without the exporter's notes, which hold paths and source lines of this machine."""
    model = onnx.load_from_string(content)
    graph = model.graph
    for item in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output, *graph.initializer):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    result: bytes = model.SerializeToString()
    return result


def parity_error(content: bytes, agent: Policy, episodes: NDArray[np.float32]) -> float:
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
