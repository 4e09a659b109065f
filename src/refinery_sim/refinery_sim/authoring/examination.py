"""Everything that can be told of a task file before anything is trained: all its mistakes, and what it amounts to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from refinery.config import check, find_mistakes
from refinery.errors import ConfigError
from refinery.force_bound import commanded_force_bound
from refinery.initial_state import plug_pose
from refinery.robot_fit import misfits
from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery.task import Task
from refinery_sim.authoring.reach import Reach, examine_reach
from refinery_sim.pieces import task_pieces
from refinery_sim.plate import check_plate_size, grown, plate_pieces
from refinery_sim.section import corners_m, half_size_m, section_shape, symmetry
from refinery_sim.solids import fingers_m, least_clearance_m, solid_shape
from refinery_sim.task import check_task

FINGER_ROOM_M = 0.01
"""Distance of the finger pads' middle from the plate at which the fingertips still stay clear of it, [m]."""
FINGER_M = (0.018, 0.0144)
"""Extent of a fingertip across and along the direction in which it closes, [m]."""
_METRES = 0.5
"""No length of a task is longer, [m]: a larger number was meant in millimetres."""


@dataclass(frozen=True, kw_only=True)
class Examination:
    """What was found."""

    task: Task | None
    """The task; None if it could not be built. With mistakes it is good for drawing only."""
    mistakes: tuple[ConfigError, ...]
    """All mistakes, each with file, key, what was expected and what was found."""
    misfits: tuple[str, ...]
    """What the robot cannot do that the task asks for."""
    notes: tuple[str, ...]
    """What is allowed and yet worth a second look."""
    facts: tuple[tuple[str, str], ...]
    """What the task amounts to: name and value, with units."""

    @property
    def ok(self) -> bool:
        """Whether the task can be trained for and run on this robot."""
        return not self.mistakes and not self.misfits


def examine(file: Path, profile: RobotProfile) -> Examination:
    """Examine a task file against a robot.

    Args:
        file: The task file.
        profile: The robot.

    Raises:
        ConfigError: The file, or one that it inherits from, is not there or is not strict YAML.
    """
    task, mistakes = find_mistakes(file, Task)
    mistakes = [_in_metres(mistake) for mistake in mistakes]
    if task is None:
        return Examination(task=None, mistakes=tuple(mistakes), misfits=(), notes=(), facts=())
    if not _any(mistakes, "plug.section"):
        mistakes += _mistakes_of(file, _geometry(task, mistakes))
    shaped = not _any(mistakes, "plug.section")
    reach = None
    if not _any(mistakes, "socket.nominal", "socket.range", "plug.grasp", "initial_state.trained_in"):
        reach = examine_reach(task, profile)
        if reach.middle:
            expected = f"a place where {profile.name} reaches the middle of the box of initial states"
            got = task.socket.nominal_xyz_m
            mistakes.append(
                ConfigError(file, "socket.nominal_xyz_m", expected, got, f"of {reach.tried}: {reach.middle}")
            )
    able = () if _any(mistakes, "control", "limits") else tuple(misfits(task, profile))
    facts = [*_shape_facts(task)] if shaped and not _any(mistakes, "socket") else []
    facts += [*_run_facts(task, profile, reach)] if not _any(mistakes, "control") else []
    return Examination(
        task=task, mistakes=tuple(mistakes), misfits=able, notes=tuple(_notes(task, reach)), facts=tuple(facts)
    )


def _any(mistakes: list[ConfigError], *prefixes: str) -> bool:
    return any(mistake.key.startswith(prefixes) for mistake in mistakes)


def _in_metres(mistake: ConfigError) -> ConfigError:
    """Add the usual reason to a length that is far too large."""
    values = mistake.got if isinstance(mistake.got, (list, tuple)) else [mistake.got]
    large = [value for value in values if isinstance(value, (int, float)) and abs(value) > _METRES]
    if not (mistake.key.split("[")[0].endswith("_m") and large):
        return mistake
    hint = f"lengths are in metres: {large[0]:g} mm is {large[0] / 1e3:g}"
    hint = "; ".join(filter(None, (hint, mistake.hint)))
    return ConfigError(mistake.source, mistake.key, mistake.expected, mistake.got, hint)


def _geometry(task: Task, known: list[ConfigError]) -> Iterator[Callable[[], object]]:
    """Checks of the shape, each of which raises; those that build on a value known to be wrong are left out."""
    section, socket = task.plug.section, task.socket
    yield lambda: check_task(task, "")
    yield lambda: check_plate_size(section, socket)
    if not _any(known, "plug.length", "socket.depth"):
        yield lambda: task_pieces(task)
    if not _any(known, "socket"):
        yield lambda: plate_pieces(section, socket)
    if not _any(known, "socket.depth", "initial_state"):
        yield lambda: _check_clear(task)


def _mistakes_of(file: Path, checks: Iterator[Callable[[], object]]) -> list[ConfigError]:
    """Run checks; a mistake that two of them find is told once."""
    found: dict[str, ConfigError] = {}
    for run in checks:
        try:
            run()
        except ConfigError as error:
            found.setdefault(error.key, ConfigError(file, error.key, error.expected, error.got, error.hint))
        if "plug.section" in "".join(found):
            # Nothing can be built on a section that is no shape.
            break
    return list(found.values())


def _check_clear(task: Task) -> None:
    """Check that no corner of the tip is in the plate at hand-over, over the corners of the deployment box."""
    lowest = float(lowest_corners_m(task).min())
    low = task.initial_state.deployed.low[2]
    needed = low + task.rim_height_m - lowest
    expected = f"a height from {needed:.4g} m up (a corner of the tip would start in the plate at the widest tilt)"
    check(lowest > task.rim_height_m, "initial_state.deployed_in.z", expected, float(low))


def lowest_corners_m(task: Task) -> Array:
    """Heights of the tip's lowest corner over the seat at the corners of the deployment box, [m]."""
    box = task.initial_state.deployed
    signs = np.array(np.meshgrid(*[[0, 1]] * 4)).reshape(4, -1).T
    theta = np.tile(box.low, (len(signs), 1))
    theta[:, 2:6] = np.where(signs == 0, box.low[2:6], box.high[2:6])
    plug = plug_pose(Poses.from_xyz_rpy(np.zeros(3), np.zeros(3)), theta)
    corners = np.c_[(flat := corners_m(task.plug.section)), np.zeros(len(flat))]
    lowest = (plug.rotation.as_matrix()[:, 2, :] @ corners.T).min(axis=1)
    return np.asarray(plug.pos_m[:, 2] + lowest)


def measured_clearance_m(task: Task) -> float:
    """Return the least distance between the outlines of plug and hole, [m]."""
    if task.socket.solids:
        return least_clearance_m(task.plug.section, task.socket)
    shape = section_shape(task.plug.section)
    return float(grown(shape, task.socket.clearance_m).boundary.distance(shape.boundary))


def top_under_fingers_m(task: Task) -> float:
    """Return the height over the seat of the highest thing under the fingers of a seated plug, [m]; -inf is nothing."""
    if not task.socket.solids:
        return task.socket.depth_m
    fingers = fingers_m(task.plug.section, *FINGER_M)
    tops = [s.high_m for s in task.socket.solids if any(solid_shape(s).intersects(finger) for finger in fingers)]
    return max(tops, default=-np.inf)


def _shape_facts(task: Task) -> Iterator[tuple[str, str]]:
    x, y = (2e3 * half for half in half_size_m(task.plug.section))
    order = symmetry(task.plug.section)
    ways = "any way round" if order == 0 else "one way round" if order == 1 else f"{order} ways round"
    yield (
        "section",
        f"{x:.3g} x {y:.3g} mm {task.plug.section.family}, fits {ways}; plug {1e3 * task.plug.length_m:g} mm long",
    )
    socket = task.socket
    edge, depth = 2e3 * socket.plate_half_size_m, 1e3 * socket.depth_m
    chamfer = f", chamfer {1e3 * socket.chamfer_m:g} mm" if socket.chamfer_m else ""
    if socket.solids:
        yield "socket", f"{len(socket.solids)} solids, the highest {depth:g} mm over the seat"
    else:
        yield "hole", f"{depth:g} mm deep in a plate of {edge:g} x {edge:g} mm{chamfer}"
    noise = task.noise
    yield "clearance", f"{1e3 * measured_clearance_m(task):.3g} mm per side, measured between the outlines"
    yield (
        "errors",
        (
            f"socket known to {1e3 * noise.estimate_bias_m:g} mm and {np.degrees(noise.estimate_bias_yaw_rad):.2g} deg "
            f"(standard deviation), each estimate within {1e3 * noise.estimate_jitter_m:g} mm"
        ),
    )


def _run_facts(task: Task, profile: RobotProfile, reach: Reach | None) -> Iterator[tuple[str, str]]:
    force = commanded_force_bound(task.control)
    yield (
        "force bound",
        (
            f"{force[0]:.3g}, {force[1]:.3g}, {force[2]:.3g} N and {force[3]:.3g}, {force[4]:.3g}, {force[5]:.3g} Nm "
            "commanded at most"
        ),
    )
    stop = task.limits.max_wrench
    yield "stop at", f"{stop[0]:g}, {stop[1]:g}, {stop[2]:g} N and {stop[3]:g}, {stop[4]:g}, {stop[5]:g} Nm measured"
    if reach is not None:
        yield (
            "reach",
            f"{profile.name} reaches {reach.reached} of {reach.tried} outermost starts and places of the socket",
        )


def _notes(task: Task, reach: Reach | None) -> Iterator[str]:
    if reach is not None and reach.corners and not reach.middle:
        yield f"some corners of the box cannot be reached, the sampler will leave them out: {reach.corners}"
    grip = task.plug.grasp_xyz_m[2] - top_under_fingers_m(task)
    if grip < FINGER_ROOM_M:
        under = "what is under them" if task.socket.solids else "the plate"
        yield (
            f"plug.grasp_xyz_m: the finger pads are {1e3 * grip:.3g} mm over {under} when the plug is seated; "
            f"fingertips need about {1e3 * FINGER_ROOM_M:g} mm"
        )
    slack, bias = task.socket.clearance_m + task.socket.chamfer_m, task.noise.estimate_bias_m
    if bias > slack:
        yield (
            f"noise.estimate_bias_m: the socket is known to {1e3 * bias:g} mm, clearance and chamfer give "
            f"{1e3 * slack:.3g} mm: the policy has to search, expect less success"
        )
