"""Fixtures of the physics' tests."""

from refinery_sim.testing import above_socket_rad, home_rad, limits, plant, shared_plant, task, task_file

__all__ = ["above_socket_rad", "home_rad", "limits", "plant", "shared_plant", "task", "task_file"]
