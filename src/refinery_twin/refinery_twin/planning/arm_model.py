"""The arm in the planning library: loaded once; gives scenes and forward kinematics."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import roboplan.core as roboplan
from scipy.spatial.transform import Rotation

from refinery.robot_profile import RobotProfile
from refinery.rotations import Array, Poses
from refinery_sim.assets import panda_mjcf
from refinery_twin.planning.arm_links import finger_joints, links, neighbours, urdf
from refinery_twin.planning.hulls import padded_hull, read_obj, write_stl

GROUP = "arm"
"""The seven joints, in every scene."""
_HULL_TOLERANCE_M = 0.001


class ArmModel:
    """Kinematics, limits and shapes of an arm with its hand.

    Args:
        profile: Profile of the arm.
        padding_m: Padding of the links, >= 0, [m].

    Raises:
        NotReadyError: The meshes of the arm's model are missing.
    """

    def __init__(self, profile: RobotProfile, padding_m: float) -> None:
        self.profile = profile
        self.links = {link.name: link for link in links(profile)}
        """Links by name, from the base to the tool frame."""
        self.neighbours = neighbours(profile)
        """Pairs of links that may touch."""
        self.low_rad, self.high_rad = np.array(profile.limits.low_rad), np.array(profile.limits.high_rad)
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            for mesh in {link.mesh for link in self.links.values()} - {""}:
                corners = read_obj(panda_mjcf().parent / f"{mesh}.obj")
                hull = padded_hull(corners, tolerance_m=_HULL_TOLERANCE_M, padding_m=padding_m)
                write_stl(folder / f"{mesh}.stl", *hull)
            self._description = roboplan.loadUrdfSceneDescriptionFromXml(urdf(profile, folder), [])
            limits = folder / "limits.yaml"
            limits.write_text(_limits_yaml(profile), encoding="utf-8")
            self._limits = roboplan.loadJointLimitsConfig(limits)
        self.bare = self.scene()
        """A scene in which nothing collides, for kinematics and timing."""
        solid = [link.name for link in self.links.values() if link.mesh]
        self.bare.setCollisions([(a, b) for a in solid for b in solid if a < b], False)

    def scene(self) -> roboplan.Scene:
        """Return a new scene with only the arm, in which neighbouring links may touch."""
        scene = roboplan.Scene(self.profile.name, self._description)
        scene.importJointLimitsFromConfig(self._limits)
        scene.addGroup(GROUP, list(self.profile.joint_names))
        scene.setCollisions(self.neighbours, False)
        return scene

    def configuration(self, joints_rad: Array) -> roboplan.JointConfiguration:
        """Name joints, shape (7,), [rad]."""
        return roboplan.JointConfiguration(list(self.profile.joint_names), joints_rad)

    def full(self, joints_rad: Array, fingers_m: float) -> Array:
        """Add the fingers to joints, shape (9,), [rad] and [m]."""
        return np.array([*joints_rad, fingers_m, fingers_m])

    def pose_of(self, link: str, joints_rad: Array, fingers_m: float) -> Poses:
        """Pose of a known link in the base frame, batch of one."""
        matrix = self.bare.forwardKinematics(self.full(joints_rad, fingers_m), link)
        return Poses(pos_m=matrix[None, :3, 3], quat_xyzw=Rotation.from_matrix(matrix[:3, :3]).as_quat()[None])

    @property
    def finger_joints(self) -> tuple[str, str]:
        """Names of the fingers' joints."""
        return finger_joints(self.profile)


def matrix_of(pose: Poses) -> Array:
    """Return a pose (batch of one) as a matrix (4, 4) in the memory layout the library takes."""
    matrix = np.eye(4)
    matrix[:3, :3] = pose.rotation.as_matrix()[0]
    matrix[:3, 3] = pose.pos_m[0]
    return np.asfortranarray(matrix)


def _limits_yaml(profile: RobotProfile) -> str:
    """Accelerations are no part of a URDF; the library takes them in a format of its own."""
    rows = zip(profile.joint_names, profile.limits.acceleration_rad_s2, strict=True)
    return "joint_limits:\n" + "".join(f"  {name}:\n    max_acceleration: [{value!r}]\n" for name, value in rows)
