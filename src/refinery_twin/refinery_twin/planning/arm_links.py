"""Links of the arm with its hand, from a robot profile: names, poses, and the URDF.

The kinematics are the profile's DH table, so that planner and nodes agree to rounding; the shapes are those of the
twin's arm, a Panda with the Franka hand.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from refinery.robot_profile import RobotProfile
from refinery.rotations import Poses

FINGER_TRAVEL_M = 0.04
"""Largest distance of a finger from the middle, [m]."""
_LINK7_FROM_FLANGE_Z_M = 0.107
_HAND_FROM_FINGERS_Z_M = 0.0584
_HERE = Poses.from_xyz_rpy((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class Link:
    """A named part of the robot."""

    name: str
    """As in tf."""
    carrier: str
    """The link that moves it: itself, unless it is fixed to another."""
    pose: Poses
    """Its pose in the carrier's frame, batch of one."""
    mesh: str
    """Mesh of the arm's model; empty for a frame without a shape."""
    turn_rad: float = 0.0
    """Rotation of the mesh about z, [rad]."""


def links(profile: RobotProfile) -> tuple[Link, ...]:
    """Return base, links 1..7, flange, hand, fingers and tool frame, in this order."""
    frames, tool = profile.frames, profile.kinematics.link7_from_tool
    chain = [frames.base, *(_link_name(name) for name in profile.joint_names)]
    last = chain[-1]
    hand = frames.tool.removesuffix("_tcp") if frames.tool.endswith("_tcp") else f"{_prefix(profile)}hand"
    moving = [Link(name=name, carrier=name, pose=_HERE, mesh=f"link{i}") for i, name in enumerate(chain)]
    fingers = [
        Link(name=name, carrier=name, pose=_HERE, mesh="finger", turn_rad=turn)
        for name, turn in zip(finger_names(profile), (0.0, np.pi), strict=True)
    ]
    flange_m = (0.0, 0.0, _LINK7_FROM_FLANGE_Z_M)
    return (
        *moving,
        Link(name=frames.flange, carrier=last, pose=Poses.from_xyz_rpy(flange_m, (0.0, 0.0, 0.0)), mesh=""),
        Link(name=hand, carrier=last, pose=Poses.from_xyz_rpy(flange_m, tool.rpy_rad), mesh="hand"),
        *fingers,
        Link(name=frames.tool, carrier=last, pose=Poses.from_xyz_rpy(tool.xyz_m, tool.rpy_rad), mesh=""),
    )


def finger_names(profile: RobotProfile) -> tuple[str, str]:
    """Return the names of left and right finger."""
    prefix = _prefix(profile)
    return f"{prefix}leftfinger", f"{prefix}rightfinger"


def finger_joints(profile: RobotProfile) -> tuple[str, str]:
    """Return the names of the fingers' joints, as franka_description has them."""
    prefix = _prefix(profile)
    return f"{prefix}finger_joint1", f"{prefix}finger_joint2"


def neighbours(profile: RobotProfile) -> list[tuple[str, str]]:
    """Return pairs of links that always touch, or whose hulls do, or that are fixed to each other."""
    names = [link.name for link in links(profile) if link.mesh]
    arm, (hand, left, right) = names[:8], names[8:]
    return [*pairwise(arm), (arm[7], hand), (arm[6], hand), (hand, left), (hand, right), (left, right)]


def mount(link: str) -> str:
    """Return the name of the frame at a moving link to which objects are attached."""
    return f"{link}/held"


def urdf(profile: RobotProfile, meshes: Path) -> str:
    """Write the robot's description.

    Args:
        profile: Profile of the arm.
        meshes: Folder with a convex ``<mesh>.stl`` for every mesh of :func:`links`.

    Returns:
        URDF of the robot; every moving link has a frame :func:`mount`.
    """
    table, limits = profile.kinematics, profile.limits
    every = links(profile)
    text = [_link(link, meshes) for link in every]
    for i, (parent, child) in enumerate(pairwise(every[:8])):
        a, d, alpha = table.a_m[i], table.d_m[i], table.alpha_rad[i]
        origin = _origin((a, -d * np.sin(alpha), d * np.cos(alpha)), (alpha, 0.0, 0.0))
        bounds = (limits.low_rad[i], limits.high_rad[i], limits.velocity_rad_s[i], limits.torque_nm[i])
        text.append(_joint(profile.joint_names[i], "revolute", parent.name, child.name, origin, (0, 0, 1), bounds))
    hand = every[9]
    for link, joint, side in zip(every[10:12], finger_joints(profile), (1, -1), strict=True):
        origin = _origin((0.0, 0.0, _HAND_FROM_FINGERS_Z_M), (0.0, 0.0, 0.0))
        bounds = (0.0, FINGER_TRAVEL_M, 0.2, 100.0)
        text.append(_joint(joint, "prismatic", hand.name, link.name, origin, (0, side, 0), bounds))
    for link in every:
        if link.carrier != link.name:
            turn = Rotation.from_quat(link.pose.quat_xyzw[0]).as_euler("xyz")
            text.append(
                _joint(f"{link.name}/fixed", "fixed", link.carrier, link.name, _origin(link.pose.pos_m[0], turn))
            )
        else:
            text.append(f'<link name="{mount(link.name)}"/>')
            here = _origin((0, 0, 0), (0, 0, 0))
            text.append(_joint(f"{mount(link.name)}/fixed", "fixed", link.name, mount(link.name), here))
    return f'<?xml version="1.0"?><robot name="{profile.name}">{"".join(text)}</robot>'


def _prefix(profile: RobotProfile) -> str:
    """Return the prefix of the robot's links and joints: ``panda_`` of ``panda_joint1``."""
    name, found, _ = profile.joint_names[0].partition("joint")
    return name if found else ""


def _link_name(joint: str) -> str:
    return joint.replace("joint", "link") if "joint" in joint else f"{joint}_link"


def _link(link: Link, meshes: Path) -> str:
    if not link.mesh:
        return f'<link name="{link.name}"/>'
    name, file = f"{link.name}/hull", meshes / f"{link.mesh}.stl"
    solid = f'<geometry><mesh filename="{file}"/></geometry>'
    # The last element is pinocchio's: without it the mesh is a surface, slower and hollow.
    return (
        f'<link name="{link.name}"><collision name="{name}">{_origin((0, 0, 0), (0, 0, link.turn_rad))}{solid}'
        f'</collision><collision_checking><convex name="{name}"/></collision_checking></link>'
    )


def _origin(xyz_m: Iterable[float], rpy_rad: Iterable[float]) -> str:
    xyz, rpy = (" ".join(repr(float(value)) for value in values) for values in (xyz_m, rpy_rad))
    return f'<origin xyz="{xyz}" rpy="{rpy}"/>'


def _joint(
    name: str,
    kind: str,
    parent: str,
    child: str,
    origin: str,
    axis: tuple[int, int, int] | None = None,
    bounds: tuple[float, float, float, float] | None = None,
) -> str:
    rest = ""
    if axis is not None and bounds is not None:
        low, high, velocity, effort = (repr(float(value)) for value in bounds)
        rest = f'<axis xyz="{axis[0]} {axis[1]} {axis[2]}"/>'
        rest += f'<limit lower="{low}" upper="{high}" velocity="{velocity}" effort="{effort}"/>'
    return f'<joint name="{name}" type="{kind}">{origin}<parent link="{parent}"/><child link="{child}"/>{rest}</joint>'
