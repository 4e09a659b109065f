"""Devices of Warp, by name."""

from __future__ import annotations

import warp as wp

from refinery.errors import ConfigError


def warp_device(name: str) -> wp.Device:
    """Return a device that physics can run on.

    Args:
        name: ``cpu`` or ``cuda:<index>``.

    Raises:
        ConfigError: This machine has no such device.
    """
    wp.config.log_level = wp.LOG_WARNING
    wp.init()
    try:
        return wp.get_device(name)
    except (ValueError, RuntimeError):
        have = ", ".join(device.alias for device in wp.get_devices())
        hint = "--device cpu, or install NVIDIA's driver (nvidia-smi lists its GPUs)"
        raise ConfigError("--device", "", f"a device of this machine ({have})", name, hint) from None
