"""The processor that results were computed on."""

from __future__ import annotations

import platform
from pathlib import Path


def processor() -> str:
    """Model of the processor: floating-point results repeat to the bit only on one type of it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown processor"
