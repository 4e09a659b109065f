"""Block and key of the shipped tasks in a base with a pocket."""

from refinery.rotations import Poses
from refinery_sim.assembly.parts import FixedBase, PartSpec, block_with_pockets
from refinery_sim.task import named_task


def upright(x, y, z, yaw=0.0):
    """A pose that stands upright, batch of one."""
    return Poses.from_xyz_rpy((x, y, z), (0.0, 0.0, yaw))


BASE = FixedBase(
    solids=block_with_pockets((0.12, 0.12, 0.035), [((0.0, 0.0), (0.0508, 0.0308), 0.015)]),
    pose=upright(0.5, 0.0, 0.115),
)
BLOCK = PartSpec(
    name="block", task=named_task("block_block"), tray=upright(0.4, -0.25, 0.1), seat=upright(0, 0, -0.015)
)
KEY = PartSpec(
    name="key", task=named_task("block_key"), tray=upright(0.4, 0.25, 0.1), seat=upright(0, 0.0053, 0), parent="block"
)
