"""One insertion by the node's policy tick on a plant, in lockstep: no ROS lies between."""

from __future__ import annotations

from collections.abc import Callable

from refinery.rotations import Array, Poses
from refinery.testing.samples import sample
from refinery.tick.guard import GuardDecision, Level
from refinery.tick.runtime import PolicyRuntime
from refinery.tick.samples import Inputs, RobotMode, RobotSample, WrenchSample
from refinery_sim.plant import TIMESTEP_S, Mode, Plant

STATE_AGE_S = 0.004
"""Age of the newest state at a tick: one period of the twin's 250 Hz, [s]."""


def insert(
    runtime: PolicyRuntime,
    plant: Plant,
    estimate_at: Callable[[int], Poses],
    grasp: Array | None,
) -> GuardDecision:
    """Run an insertion from where the arm is, to the end of the episode or until the guard stops it.

    Args:
        runtime: The policy tick; re-armed here if the episode before was stopped.
        plant: The cell; its impedance controller is active after this.
        estimate_at: Gives the socket estimate of a policy step, base frame, batch of one.
        grasp: How the plug sits in the hand as far as is known, shape (1, 3); None is as intended.

    Returns:
        The guard's last decision.
    """
    plant.set_mode(Mode.IMPEDANCE)
    plant.step(round(STATE_AGE_S / TIMESTEP_S))
    begin = plant.steps
    first = _inputs(plant, estimate_at(0))
    runtime.guard.rearm(first)
    decision = runtime.start(first, grasp)
    for step in range(runtime.steps):
        if decision.level is Level.STOP:
            break
        # Nothing is late here: how long a tick takes must not change what it does.
        result = runtime.tick(_inputs(plant, estimate_at(step)), missed=False)
        decision = result.decision
        plant.set_target(result.target.batch())
        plant.step(begin + round((step + 1) * runtime.period_s / TIMESTEP_S) - plant.steps)
    runtime.end()
    return decision


def _inputs(plant: Plant, estimate: Poses) -> Inputs:
    """Samples that the node would have read at a tick."""
    now_s = plant.time_s
    return Inputs(
        measured=sample(plant.tool, now_s),
        estimate=sample(estimate, now_s),
        wrench=WrenchSample(wrench=tuple(plant.external_wrench.tolist()), stamp_s=now_s),
        robot=RobotSample(mode=RobotMode.MOVE, errors=(), stamp_s=now_s),
        now_s=now_s + STATE_AGE_S,
    )
