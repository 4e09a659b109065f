"""Run as a program with a folder: both nodes and the core as on a robot's computer, where nothing else can be imported.

Prints one line of JSON: what was imported though a robot does not have it, and what came of each part.
"""

from __future__ import annotations

import importlib
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

ABSENT = (
    *("mujoco", "torch", "matplotlib", "shapely", "sklearn", "roboplan", "rsl_rl", "rich", "PIL"),
    *("refinery_sim", "refinery_sim_train", "refinery_twin", "refinery_evaluation", "experiments"),
)
"""What a robot's computer does not have."""


class Absent:
    """Finds nothing, and lets nobody else find what is absent."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Raise what an import of a missing module raises."""
        if name.split(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


def commands() -> list[str]:
    """Import every command of ``refinery``, and return their names."""
    from refinery.cli.main import COMMANDS

    for module, _ in COMMANDS.values():
        importlib.import_module(module)
    return sorted(COMMANDS)


def ticks(bundle: Path) -> int:
    """Load a bundle and run an episode of its policy; returns its ticks."""
    from refinery.bundle import load_bundle
    from refinery.testing.lagging_cell import LaggingCell, run_episode
    from refinery.tick.runtime import PolicyRuntime

    runtime = PolicyRuntime(load_bundle(bundle))
    return len(run_episode(runtime, LaggingCell(runtime.task)))


def configured(bundle: Path) -> dict[str, str]:
    """Make both nodes, configure them with the bundle and clean them up; returns their names and final states."""
    import rclpy

    from refinery_policy_node.node import PolicyNode
    from refinery_sampler_node.node import SamplerNode

    rclpy.init(args=["--ros-args", "-p", f"bundle:={bundle}", "-p", "robot_profile:=fr3"])
    states = {}
    for kind in (PolicyNode, SamplerNode):
        node = kind()
        for trigger in (node.trigger_configure, node.trigger_cleanup):
            states[node.get_name()] = f"{trigger.__name__}: {trigger().name}"
            if "SUCCESS" not in states[node.get_name()]:
                break
        node.destroy_node()
    rclpy.shutdown()
    return states


def sampled(bundle: Path) -> list[str]:
    """Choose an initial state and describe the planning scene of its placement; returns the kinds of solids in it."""
    import numpy as np

    from refinery.bundle import load_bundle
    from refinery.robot_profile import load_robot_profile
    from refinery.rotations import Poses
    from refinery_sampler_node.moveit.scene import scene_message
    from refinery_sampler_node.sampling.requests import SampleRequest
    from refinery_sampler_node.sampling.sampler import Sampler

    loaded, profile = load_bundle(bundle), load_robot_profile("fr3")
    socket = Poses.from_xyz_rpy(np.asarray(loaded.task.socket.nominal_xyz_m), np.zeros(3))
    sampler = Sampler(loaded, profile.arm_kinematics(), np.asarray(profile.home_rad))
    choice = sampler.sample(SampleRequest(task="", count=1, mode="best", seed=0), socket, require_reachable=True)
    assert choice.reach is not None and choice.reach.ok.all()
    scene = scene_message(loaded.task, loaded.part, profile, socket=socket, grasp=np.zeros((1, 3)), table_top_m=0.0)
    held = scene.robot_state.attached_collision_objects[0].object
    return ["box"] * len(held.primitives) + ["hull"] * len(held.meshes)


def main(bundle: Path) -> None:
    """Do everything and print what came of it."""
    sys.meta_path.insert(0, Absent())
    result = {"commands": commands(), "ticks": ticks(bundle), "solids": sampled(bundle), "nodes": configured(bundle)}
    result["imported"] = sorted({name.split(".")[0] for name in sys.modules} & set(ABSENT))
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
