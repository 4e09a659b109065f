"""What is inserted into what, how the arm is controlled meanwhile, what counts as success (``config/tasks/*.yaml``)."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from refinery.config import LEFT_OUT, check, load_dataclass, to_mapping
from refinery.initial_state import InitialStateSpec, grasp_offset
from refinery.rotations import Array, Poses
from refinery.section import SectionSpec

Vec3 = tuple[float, float, float]
Vec6 = tuple[float, float, float, float, float, float]
APPARENT_MASS_KG = 4.0
"""Rough apparent mass of the arm at the tool (with the joints' armature), for the damping ratio, [kg]."""
APPARENT_INERTIA_KGM2 = 0.06
"""Rough apparent inertia at the tool, [kg m^2]."""
MAX_LENGTH_M = 0.2
"""Largest accepted length of a plug, [m]."""
SOCKET_BOTTOM_M = 0.02
"""Thickness of the closed bottom of every socket's hole, [m]."""


@dataclass(frozen=True, kw_only=True)
class PlugSpec:
    """The held part: a section extruded along the insertion axis; its frame sits in the middle of the tip, z up."""

    section: SectionSpec
    """Cross-section in the plug's xy plane."""
    length_m: float
    """Extent along the insertion axis, [m], (0, 0.2]."""
    mass_kg: float
    """Mass, [kg], (0, 3] (the payload of the arm)."""
    grasp_xyz_m: Vec3
    """Plug tip in the gripper's tool frame when held as intended, [m]."""
    grasp_rpy_rad: Vec3
    """Plug orientation in the tool frame when held as intended, roll, pitch, yaw about fixed axes, [rad]."""
    chamfer_m: float = field(default=0.0, metadata=LEFT_OUT)
    """Width and height of a 45 degree chamfer around the upper end, which leads in what is put over it later, [m],
    [0, length_m); convex sections only."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 <= self.chamfer_m < self.length_m, "chamfer_m", "a width in [0, length_m)", self.chamfer_m)
        check(0 < self.length_m <= MAX_LENGTH_M, "length_m", f"a length in (0, {MAX_LENGTH_M:g}] m", self.length_m)
        check(0 < self.mass_kg <= 3, "mass_kg", "a mass in (0, 3] kg", self.mass_kg)

    @property
    def tool_from_plug(self) -> Poses:
        """Plug pose in the tool frame when held as intended, batch of one."""
        return Poses.from_xyz_rpy(self.grasp_xyz_m, self.grasp_rpy_rad)

    def tool_from_plug_at(self, grasp: Array) -> Poses:
        """Plug poses in the tool frame for in-hand grasp offsets (B, 3), order :data:`GRASP_NAMES`, [m, m, rad]."""
        return grasp_offset(grasp) @ self.tool_from_plug


@dataclass(frozen=True, kw_only=True)
class NeighbourSpec:
    """A box that stands still beside the hole: a part already assembled, a clamp, a wall of the fixture."""

    centre_m: Vec3
    """Middle of the box in the socket frame (z is the height over the seated tip), [m]."""
    half_size_m: Vec3
    """Half its edges along the socket's axes, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(all(v > 0 for v in self.half_size_m), "half_size_m", "three positive values", self.half_size_m)


@dataclass(frozen=True, kw_only=True)
class SolidSpec:
    """An upright prism that a socket is made of: a plate with a bore, a bushing, a post, a part that was put there."""

    section: SectionSpec
    """Its cross-section about its own axis."""
    centre_m: tuple[float, float] = (0.0, 0.0)
    """Its axis in the socket frame, x and y, [m]."""
    low_m: float
    """Height of its lower end over the seated tip, [m]."""
    high_m: float
    """Height of its upper end over the seated tip, [m]."""
    chamfer_m: float = 0.0
    """Width and height of a 45 degree chamfer around its upper end, [m], [0, high_m - low_m); convex sections only."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.low_m < self.high_m, "high_m", f"a height over low_m ({self.low_m:g} m)", self.high_m)
        low_enough = 0 <= self.chamfer_m < self.high_m - self.low_m
        check(low_enough, "chamfer_m", "a width in [0, high_m - low_m)", self.chamfer_m)


@dataclass(frozen=True, kw_only=True)
class SocketSpec:
    """The hole: the plug's section grown by the clearance, in a full plate; its frame is the seated plug's frame.

    A socket of another shape states the solids that it is made of.
    """

    clearance_m: float
    """Gap per side between plug and hole, [m], (0, 0.005]; with solids the least one."""
    depth_m: float
    """Depth of the hole, [m], (0, 0.1]; with solids the height of the highest: where insertion begins."""
    plate_half_size_m: float
    """Half the edge of the square plate around the hole, [m]; with solids that of the square they are planned around
    as."""
    solids: tuple[SolidSpec, ...] = field(default=(), metadata=LEFT_OUT)
    """What the socket is made of instead of a plate with a hole; one of them has its top at height 0, where the plug
    rests. Nothing is the plate."""
    friction: float
    """Middle of the range of sliding friction coefficients, [0, 2]."""
    friction_range: float = 0.0
    """Half-range of the uniform draw of the friction per episode (surfaces are dry, oily, worn), [0, friction]."""
    chamfer_m: float = 0.0
    """Width and height of a 45 degree chamfer around the rim, [m], [0, depth_m)."""
    neighbours: tuple[NeighbourSpec, ...] = ()
    """Parts and fixtures that stand near the hole."""
    nominal_xyz_m: Vec3
    """Where the socket stands in the arm's base frame, [m]."""
    range_xyz_m: Vec3
    """Half-range of the uniform draw around the nominal position, [m] (a cell is never set up twice the same)."""
    range_yaw_rad: float
    """Half-range of the socket's yaw in the base frame, [rad]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 < self.clearance_m <= 0.005, "clearance_m", "a clearance per side in (0, 0.005] m", self.clearance_m)
        check(0 < self.depth_m <= 0.1, "depth_m", "a depth in (0, 0.1] m", self.depth_m)
        check(0.02 <= self.plate_half_size_m <= 0.3, "plate_half_size_m", "0.02 to 0.3 m", self.plate_half_size_m)
        check(0 <= self.friction <= 2, "friction", "a coefficient in [0, 2]", self.friction)
        low_enough = 0 <= self.friction_range <= self.friction
        check(low_enough, "friction_range", f"in [0, {self.friction}] (the friction)", self.friction_range)
        check(0 <= self.chamfer_m < self.depth_m, "chamfer_m", "a width in [0, depth_m)", self.chamfer_m)
        if self.solids:
            check(self.chamfer_m == 0, "chamfer_m", "0 (each solid has its own)", self.chamfer_m)
            top = max(solid.high_m for solid in self.solids)
            check(abs(top - self.depth_m) < 1e-9, "depth_m", f"{top:g} m (the top of the highest solid)", self.depth_m)
        check(all(v >= 0 for v in (*self.range_xyz_m, self.range_yaw_rad)), "range_xyz_m", ">= 0", self.range_xyz_m)


@dataclass(frozen=True, kw_only=True)
class NoiseSpec:
    """What the policy does not know: errors of the socket estimate and of the arm."""

    estimate_bias_m: float
    """Standard deviation of the estimate's error in x and y, constant over an episode (calibration), [m]."""
    estimate_bias_yaw_rad: float
    """Standard deviation of the estimate's yaw error, constant over an episode, [rad]."""
    estimate_jitter_m: float
    """Half-range of the uniform error of every single estimate (pixel noise), per axis, [m]."""
    control_bias_m: float
    """Standard deviation of the arm's position error per axis, constant over an episode (calibration), [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name, value in to_mapping(self).items():
            check(0 <= value <= 0.1, name, "a value in [0, 0.1]", value)


@dataclass(frozen=True, kw_only=True)
class ControlSpec:
    """The Cartesian impedance controller and how an action moves its target."""

    policy_rate_hz: float
    """Policy evaluations per second, [Hz], (0, 1000]. The paper's code: 15 Hz."""
    episode_s: float
    """Time limit of an insertion, [s]."""
    stiffness: Vec6
    """Cartesian stiffness x, y, z [N/m], rx, ry, rz [Nm/rad]."""
    damping_ratio: float
    """Of the impedance, (0, 3]; 1 is critical for :data:`APPARENT_MASS_KG` and :data:`APPARENT_INERTIA_KGM2`."""
    max_error: Vec6
    """Largest distance of target from measured pose, x, y, z [m], rx, ry, rz [rad]: times the stiffness it bounds the
    commanded force (:mod:`refinery.force_bound`)."""
    action_scale: Vec6
    """Movement of the target per policy step at full action, x, y, z [m], rx, ry, rz [rad]."""
    action_smoothing: float
    """Share of the new action in the exponential average, (0, 1]; 1 is no smoothing."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(0 < self.policy_rate_hz <= 1000, "policy_rate_hz", "a rate in (0, 1000] Hz", self.policy_rate_hz)
        check(0 < self.episode_s <= 120, "episode_s", "a time in (0, 120] s", self.episode_s)
        check(0 < self.damping_ratio <= 3, "damping_ratio", "a ratio in (0, 3]", self.damping_ratio)
        check(0 < self.action_smoothing <= 1, "action_smoothing", "a share in (0, 1]", self.action_smoothing)
        for name in ("stiffness", "max_error", "action_scale"):
            check(all(v > 0 for v in getattr(self, name)), name, "six positive values", getattr(self, name))

    @property
    def episode_steps(self) -> int:
        """Policy steps in an episode."""
        return round(self.episode_s * self.policy_rate_hz)

    @property
    def turning_stiffness(self) -> float:
        """Stiffness of the simulation's one spring for all rotations: the mean of the three, [Nm/rad]."""
        return sum(self.stiffness[3:]) / 3

    @property
    def damping(self) -> Vec6:
        """Damping that policies are trained with, 2 x ratio x sqrt(stiffness x inertia), [Ns/m] and [Nms/rad]."""
        x, y, z = (2 * self.damping_ratio * math.sqrt(k * APPARENT_MASS_KG) for k in self.stiffness[:3])
        turn = 2 * self.damping_ratio * math.sqrt(self.turning_stiffness * APPARENT_INERTIA_KGM2)
        return (x, y, z, turn, turn, turn)


@dataclass(frozen=True, kw_only=True)
class SuccessSpec:
    """When an insertion counts."""

    depth_tolerance_m: float
    """Strict: the tip is this close to the bottom of the hole, [m]."""
    lateral_tolerance_m: float
    """Strict: the tip is this close to the axis of the hole, [m]."""
    angle_tolerance_rad: float
    """Strict: the plug is turned and tilted by less than this, [rad]."""
    engaged_error_m: float
    """Engaged (the released code's test): mean distance of 4 keypoints on the plug's axis from their goals, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        for name, value in to_mapping(self).items():
            check(0 < value <= 1, name, "a value in (0, 1]", value)


@dataclass(frozen=True, kw_only=True)
class LimitSpec:
    """What the guard enforces while the policy runs."""

    workspace_low_m: Vec3
    """Lower corner of the box the tool may be commanded to, in the socket frame, [m]."""
    workspace_high_m: Vec3
    """Upper corner of that box, [m]."""
    max_tilt_rad: float
    """Largest commanded rotation of the plug away from the socket, [rad]."""
    max_speed_m_s: float
    """Largest speed of the commanded target, [m/s]."""
    max_wrench: Vec6
    """Measured external force x, y, z [N] and torque [Nm] that stops the arm."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        pairs = zip(self.workspace_low_m, self.workspace_high_m, strict=True)
        above = all(low < high for low, high in pairs)
        check(above, "workspace_high_m", "above workspace_low_m", self.workspace_high_m)
        check(0 < self.max_tilt_rad <= 3.2, "max_tilt_rad", "an angle in (0, 3.2] rad", self.max_tilt_rad)
        check(0 < self.max_speed_m_s <= 1, "max_speed_m_s", "a speed in (0, 1] m/s", self.max_speed_m_s)
        check(all(v > 0 for v in self.max_wrench), "max_wrench", "six positive values", self.max_wrench)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One insertion task, complete: the same object drives training, the twin and the nodes."""

    name: str
    """Identifier, used in file names and ROS requests."""
    description: str
    """One sentence for people."""
    plug: PlugSpec
    """The held part."""
    socket: SocketSpec
    """The hole."""
    initial_state: InitialStateSpec
    """The initial states: dimensions, where the base policy trains, where it is deployed."""
    noise: NoiseSpec
    """Errors of estimate and arm."""
    control: ControlSpec
    """Impedance and action."""
    success: SuccessSpec
    """What counts."""
    limits: LimitSpec
    """What the guard enforces."""

    def __post_init__(self) -> None:
        """Validate what spans several parts."""
        check(self.name.isidentifier(), "name", "letters, digits and underscores", self.name)
        box = self.initial_state.deployed
        tilt = float(np.abs([box.low[3:6], box.high[3:6]]).max())
        limit = self.limits.max_tilt_rad
        check(tilt < limit, "limits.max_tilt_rad", f"> {tilt} (the widest initial state)", limit)

    @property
    def rim_height_m(self) -> float:
        """Height of the rim over the seated tip, [m]."""
        return self.socket.depth_m

    def as_trained(self) -> Task:
        """The cell that the base policy was trained in: initial states of the training box, a bare plate."""
        trained = self.initial_state.trained_in
        return replace(
            self,
            socket=replace(self.socket, neighbours=()),
            initial_state=InitialStateSpec(trained_in=trained, deployed_in=trained),
        )

    def is_meant_by(self, asked: str) -> bool:
        """Tell whether a request is for this task: it names none, its name, or its hash, to be sure."""
        return asked in ("", self.name) or asked == self.hash()

    def hash(self) -> str:
        """SHA-256 of the task's contents, independent of the layout of its file."""
        return hashlib.sha256(json.dumps(to_mapping(self), sort_keys=True).encode()).hexdigest()


def load_task(path: Path) -> Task:
    """Read a task file.

    Args:
        path: ``config/tasks/<name>.yaml``.

    Returns:
        The validated task.

    Raises:
        ConfigError: With the file, the key, what was expected and what was found.
    """
    return load_dataclass(path, Task)
