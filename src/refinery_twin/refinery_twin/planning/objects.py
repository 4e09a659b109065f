"""Objects around the arm and in its hand: named solids, as in ``moveit_msgs/CollisionObject``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from refinery.config import check
from refinery.rotations import Array, Poses


@dataclass(frozen=True, kw_only=True)
class Box:
    """A box around its origin."""

    size_m: tuple[float, float, float]
    """Edge lengths along x, y, z, each > 0, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(len(self.size_m) == 3 and min(self.size_m) > 0, "size_m", "three edges > 0 m", self.size_m)


@dataclass(frozen=True, kw_only=True)
class Cylinder:
    """A cylinder around its origin, its axis along z."""

    radius_m: float
    """Radius, > 0, [m]."""
    height_m: float
    """Height along z, > 0, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.radius_m > 0, "radius_m", "a radius > 0 m", self.radius_m)
        check(self.height_m > 0, "height_m", "a height > 0 m", self.height_m)


@dataclass(frozen=True, kw_only=True)
class Sphere:
    """A sphere around its origin."""

    radius_m: float
    """Radius, > 0, [m]."""

    def __post_init__(self) -> None:
        """Validate ranges."""
        check(self.radius_m > 0, "radius_m", "a radius > 0 m", self.radius_m)


@dataclass(frozen=True, kw_only=True)
class Mesh:
    """Triangles, convex or not.

    As in MoveIt a mesh is its surface: something that is wholly inside touches nothing. The arm, which stands outside
    and is in one piece, cannot get there without crossing the surface.
    """

    vertices_m: Array
    """Shape (V, 3), V >= 3, finite, [m]."""
    triangles: NDArray[np.int64]
    """Rows of three indices into the vertices, shape (T, 3), T >= 1."""

    def __post_init__(self) -> None:
        """Validate shapes and indices."""
        points, rows = self.vertices_m, self.triangles
        good = points.ndim == 2 and points.shape[1] == 3 and len(points) >= 3 and bool(np.isfinite(points).all())
        check(good, "vertices_m", "at least three finite points (V, 3)", points.shape)
        good = rows.ndim == 2 and rows.shape[1] == 3 and len(rows) >= 1
        check(good, "triangles", "at least one row of three indices (T, 3)", rows.shape)
        check(rows.min() >= 0 and rows.max() < len(points), "triangles", f"indices below {len(points)}", rows.max())


Shape = Box | Cylinder | Sphere | Mesh
"""One solid of an object."""


@dataclass(frozen=True, kw_only=True)
class SceneObject:
    """A rigid object of one or more solids."""

    name: str
    """Its id: unique in the scene and no name of a link."""
    shapes: tuple[Shape, ...]
    """Its solids, at least one."""
    shape_poses: Poses
    """Pose of each solid in the object's own frame, a batch as long as ``shapes``."""
    pose: Poses
    """Pose of the object: in the base frame in the world, in the frame of its link when attached; batch of one."""

    def __post_init__(self) -> None:
        """Validate name and batch sizes."""
        check(bool(self.name), "name", "a name", self.name)
        check(len(self.shapes) >= 1, "shapes", "at least one solid", self.shapes)
        check(len(self.shape_poses) == len(self.shapes), "shape_poses", f"{len(self.shapes)} poses", self.shape_poses)
        check(len(self.pose) == 1, "pose", "one pose", self.pose)

    @classmethod
    def single(cls, name: str, shape: Shape, pose: Poses) -> SceneObject:
        """Make an object of one solid whose frame is the object's."""
        here = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.array([[0.0, 0.0, 0.0, 1.0]]))
        return cls(name=name, shapes=(shape,), shape_poses=here, pose=pose)


@dataclass(frozen=True, kw_only=True)
class AttachedObject:
    """An object that moves with a link of the robot."""

    link: str
    """Link that carries it; ``object.pose`` is in this link's frame."""
    object: SceneObject
    """The object."""
    touch_links: tuple[str, ...]
    """Links that may touch it; the carrying link always may."""
