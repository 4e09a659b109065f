"""Where a policy runs: on the processor, or on a GPU through one of ONNX Runtime's execution providers."""

from __future__ import annotations

from typing import Any

import onnxruntime as ort

from refinery.errors import ConfigError

CPU = "cpu"
AUTO = "auto"
PROVIDERS = {CPU: "CPUExecutionProvider", "cuda": "CUDAExecutionProvider", "tensorrt": "TensorrtExecutionProvider"}
"""Execution providers by the name that a parameter has."""
_OPTIONS: dict[str, dict[str, str]] = {
    # Full single precision, as on the processor.
    "CUDAExecutionProvider": {"use_tf32": "0"},
    "TensorrtExecutionProvider": {"trt_fp16_enable": "0"},
}
_HINT = "onnxruntime-gpu has the others: requirements/gpu.txt"


def installed() -> list[str]:
    """Return the names of the providers that the installed ONNX Runtime has, the processor first."""
    available = ort.get_available_providers()
    return [name for name, provider in PROVIDERS.items() if provider in available]


def check_provider(name: str) -> None:
    """Check that a provider can be asked for.

    Raises:
        ConfigError: There is none of this name, or the installed ONNX Runtime lacks it.
    """
    if name != AUTO and name not in installed():
        known = ", ".join([AUTO, *installed()])
        raise ConfigError("parameters", "provider", f"one that is installed ({known})", name, _HINT)


def session_providers(name: str) -> list[Any]:
    """Return the argument ``providers`` of a session for a provider's name.

    Where a GPU's provider cannot run an operator, the processor does.
    """
    if name == CPU:
        return [PROVIDERS[CPU]]
    # CUDA's libraries may be wheels beside onnxruntime-gpu, where the loader does not look.
    ort.preload_dlls()
    wanted = PROVIDERS[name]
    return [(wanted, _OPTIONS[wanted]), PROVIDERS[CPU]]
