"""Transforms: any two frames of a tree, ages, and a sentence for everything that cannot be answered."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses, angle_between_rad
from refinery_sampler_node.inputs.transform_tree import TransformError, TransformTree

NOW_S = 100.0


def _put(
    tree: TransformTree, parent: str, child: str, pose: Poses, stamp_s: float = NOW_S, static: bool = False
) -> None:
    tree.put(parent, child, pose.pos_m[0], pose.quat_xyzw[0], stamp_s=stamp_s, static=static)


def _random(rng: np.random.Generator) -> Poses:
    return Poses.from_xyz_rpy(rng.uniform(-1, 1, 3), rng.uniform(-3, 3, 3))


@given(seed=st.integers(0, 2**32 - 1), size=st.integers(2, 12))
def test_any_two_frames_of_a_random_tree(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    tree, in_root = TransformTree(max_age_s=1.0), [Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0])]
    for i in range(1, size):
        parent = int(rng.integers(i))
        pose = _random(rng)
        in_root.append(in_root[parent] @ pose)
        _put(tree, f"f{parent}", f"/f{i}", pose, static=bool(rng.integers(2)))
    a, b = (int(v) for v in rng.integers(size, size=2))
    found, expected = tree.lookup(f"f{a}", f"f{b}", NOW_S), in_root[a].inverse() @ in_root[b]
    np.testing.assert_allclose(found.pos_m, expected.pos_m, atol=1e-9)
    assert angle_between_rad(found.quat_xyzw, expected.quat_xyzw)[0] < 1e-7


@pytest.mark.parametrize(("age_s", "words"), [(1.5, ("1.50 s old", "limit 1.0 s")), (-1.5, ("in the future", "clock"))])
def test_stamps_are_checked_but_not_of_static_ones(age_s: float, words: tuple[str, ...]) -> None:
    tree, pose = TransformTree(max_age_s=1.0), Poses.from_xyz_rpy([1, 2, 3], [0, 0, 0])
    _put(tree, "base", "camera", pose, NOW_S - age_s)
    _put(tree, "camera", "lens", pose, 0.0, static=True)
    with pytest.raises(TransformError) as caught:
        tree.lookup("base", "lens", NOW_S)
    assert all(word in str(caught.value) for word in ("'camera'", "'base'", *words))
    # Only what is on the way counts.
    np.testing.assert_allclose(tree.lookup("camera", "lens", NOW_S).pos_m, pose.pos_m)
    _put(tree, "base", "camera", pose, NOW_S)
    np.testing.assert_allclose(tree.lookup("base", "lens", NOW_S).pos_m, 2 * pose.pos_m)


def test_unknown_and_unconnected_frames() -> None:
    tree, pose = TransformTree(max_age_s=1.0), Poses.from_xyz_rpy([1, 0, 0], [0, 0, 0])
    with pytest.raises(TransformError, match=r"'camera' .* known are none"):
        tree.lookup("base", "camera", NOW_S)
    _put(tree, "base", "camera_link", pose)
    _put(tree, "world", "table", pose)
    with pytest.raises(TransformError, match="did you mean 'camera_link'"):
        tree.lookup("base", "camera_linc", NOW_S)
    with pytest.raises(TransformError, match=r"not connected: .*'world'.*'base'"):
        tree.lookup("base", "table", NOW_S)
    np.testing.assert_array_equal(tree.lookup("anything", "anything", NOW_S).pos_m, [[0, 0, 0]])


@pytest.mark.parametrize(
    ("pos_m", "quat_xyzw", "words"),
    [
        ([math.nan, 0, 0], [0, 0, 0, 1], "not finite"),
        ([0, 0, 0], [0, 0, 0, 0.5], "length 0.500"),
    ],
)
def test_nonsense_is_never_used(pos_m: list[float], quat_xyzw: list[float], words: str) -> None:
    tree, pose = TransformTree(max_age_s=1.0), Poses.from_xyz_rpy([1, 0, 0], [0, 0, 0])
    _put(tree, "base", "camera", pose)
    tree.put("base", "camera", pos_m, quat_xyzw, stamp_s=NOW_S, static=False)
    with pytest.raises(TransformError, match=words):
        tree.lookup("base", "camera", NOW_S)
    _put(tree, "base", "camera", pose)
    assert len(tree.lookup("base", "camera", NOW_S)) == 1


def test_circles_are_noticed() -> None:
    tree, pose = TransformTree(max_age_s=1.0), Poses.from_xyz_rpy([1, 0, 0], [0, 0, 0])
    _put(tree, "a", "b", pose)
    _put(tree, "b", "a", pose)
    _put(tree, "root", "base", pose)
    with pytest.raises(TransformError, match="cycle"):
        tree.lookup("base", "b", NOW_S)
