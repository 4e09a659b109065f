"""One pose in plain floats, against scipy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from refinery.rotations import Poses
from refinery.tick.pose import (
    Pose,
    clipped,
    conjugate,
    distance,
    finite,
    matrix_of,
    multiply,
    quat_of,
    rotvec_of,
    turned,
    turned_back,
    unit,
)

coordinate = st.floats(-2, 2)
angle = st.floats(-1.4, 1.4)
poses = st.builds(lambda x, r: Poses.from_xyz_rpy(x, r), st.tuples(*[coordinate] * 3), st.tuples(*[angle] * 3))
component = st.floats(-1, 1)
quaternions = st.tuples(*[component] * 4).filter(lambda q: np.linalg.norm(q) > 1e-3).map(unit)
vectors = st.tuples(*[st.floats(-3, 3)] * 3)


@given(quaternions, quaternions)
def test_floats_compose_as_scipy(a, b):
    expected = (Rotation.from_quat(a) * Rotation.from_quat(b)).as_quat()
    np.testing.assert_allclose(multiply(a, b), expected, atol=1e-12)
    np.testing.assert_allclose(multiply(a, conjugate(a)), [0, 0, 0, 1], atol=1e-12)


@given(quaternions, vectors)
def test_floats_turn_vectors_as_scipy(q, v):
    rotation = Rotation.from_quat(q)
    np.testing.assert_allclose(np.reshape(matrix_of(q), (3, 3)), rotation.as_matrix(), atol=1e-12)
    np.testing.assert_allclose(turned(matrix_of(q), v), rotation.apply(v), atol=1e-12)
    np.testing.assert_allclose(turned_back(matrix_of(q), v), rotation.apply(v, inverse=True), atol=1e-12)


@given(vectors, st.sampled_from([1.0, 1e-3, 1e-6, 1e-9, 1e-160, 1e-200]))
def test_floats_know_rotation_vectors_as_scipy(v, scale):
    small = tuple(scale * x for x in v)
    np.testing.assert_allclose(quat_of(small), Rotation.from_rotvec(small).as_quat(), rtol=1e-12, atol=1e-12)
    if np.linalg.norm(small) < np.pi - 1e-6:
        np.testing.assert_allclose(rotvec_of(quat_of(small)), small, rtol=1e-9, atol=1e-12)


@given(quaternions)
def test_floats_give_the_rotation_vector_that_scipy_gives(q):
    # At half a turn either direction is right, and which one it is hangs on the last bit.
    if abs(q[3]) > 1e-9:
        np.testing.assert_allclose(rotvec_of(q), Rotation.from_quat(q).as_rotvec(), atol=1e-12)


def test_no_rotation_has_no_rotation_vector():
    assert rotvec_of((0.0, 0.0, 0.0, 1.0)) == (0.0, 0.0, 0.0)
    assert quat_of((0.0, 0.0, 0.0)) == (0.0, 0.0, 0.0, 1.0)


def test_a_quaternion_without_direction_is_nan():
    for bad in ((0.0, 0.0, 0.0, 0.0), (np.nan, 0.0, 0.0, 1.0), (np.inf, 0.0, 0.0, 1.0), (1e300, 1e300, 0.0, 0.0)):
        assert np.all(np.isnan(unit(bad)))


@given(vectors, st.floats(0, 2))
def test_clipping_keeps_the_limits_and_nan(v, limit):
    limits = (limit, 2 * limit, 3 * limit)
    np.testing.assert_array_equal(clipped(v, limits), np.clip(v, np.negative(limits), limits))
    assert np.isnan(clipped((np.nan, 0.0, 0.0), limits)[0])


@given(vectors, vectors)
def test_the_distance_is_that_of_numpy(a, b):
    assert distance(a, b) == pytest.approx(np.linalg.norm(np.subtract(a, b)), abs=1e-12)


@pytest.mark.parametrize("value", [0.0, -1e308, 5e-324, np.inf, -np.inf, np.nan])
def test_finite_is_that_of_math(value):
    assert finite(value) == math.isfinite(value)


@given(poses)
def test_one_pose_is_the_batch_of_one_it_was_made_of(batch):
    pose = Pose.of(batch)
    np.testing.assert_array_equal(pose.batch().pos_m, batch.pos_m)
    np.testing.assert_allclose(pose.batch().quat_xyzw, batch.quat_xyzw, atol=1e-15)
    assert pose.matrix() == pose.matrix() == matrix_of(pose.xyzw)


def test_the_arrays_of_a_batch_are_copies():
    pose = Pose((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 1.0))
    batch = pose.batch()
    batch.pos_m[0, 0] = batch.quat_xyzw[0, 0] = 7.0
    assert pose.xyz_m == (1.0, 2.0, 3.0) and pose.xyzw[0] == 0.0
