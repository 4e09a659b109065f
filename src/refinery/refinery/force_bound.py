"""The bound of the commanded force: stiffness times how far a target may be from the measured pose.

The impedance controller pulls the tool to its target like a spring: force [N] = stiffness x (target - measured pose),
torque [Nm] likewise with the rotation vector between the two. So the force that is asked for is bounded where a target
is clipped against the measured pose, to ``control.max_error`` of the task, axis by axis:

- :mod:`refinery.action`: both decoders, in training and on the tick, along the axes of the estimated socket frame;
- ``refinery.tick.guard.bounds``: every target that leaves the node, along the same axes;
- ``refinery_sim.plant.Plant.set_target``: whatever arrives at the simulated controller, along the axes of the base.

All of them take their limits from :func:`spring_limits`. They do not share their arithmetic: batches go through scipy
and single poses through plain floats, which round differently, and the guard intersects the limits with the workspace.

Two other limits are not this one: ``limits.max_wrench`` of a task is the *measured* external wrench at which the guard
stops, and ``impedance.max_stiffness`` times ``impedance.error_clip`` of a robot profile is what the real controller
clamps to whatever it is sent, at each of its own cycles.
"""

from __future__ import annotations

from refinery.task import ControlSpec, Vec3, Vec6


def commanded_force_bound(control: ControlSpec) -> Vec6:
    """Return the largest force and torque that a policy can ask for, at the measured pose its target was made from.

    Enforced at every policy step in the decoders, the guard and the twin, as the head of this module says. Between two
    targets the arm moves and the spring with it; a part that pushes the arm away can stretch it further meanwhile.

    Args:
        control: Gains of a task.

    Returns:
        Stiffness times :func:`spring_limits`: force x, y, z [N], torque about x, y, z [Nm].
    """
    kx, ky, kz, ka, kb, kc = control.stiffness
    (x, y, z), (a, b, c) = spring_limits(control)
    return (kx * x, ky * y, kz * z, ka * a, kb * b, kc * c)


def spring_limits(control: ControlSpec) -> tuple[Vec3, Vec3]:
    """Return how far a target may be from the measured pose, per axis to either side.

    Args:
        control: Gains of a task.

    Returns:
        Largest stretch x, y, z [m] and largest twist, a rotation vector [rad]: ``control.max_error`` in two.
    """
    x, y, z, roll, pitch, yaw = control.max_error
    return (x, y, z), (roll, pitch, yaw)
