import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from refinery.rotations import (
    OnePose,
    Poses,
    angle_between_rad,
    clipped,
    conjugate,
    matrix_of,
    multiply,
    quat_of,
    rotvec_between_rad,
    rotvec_of,
    turned,
    turned_back,
    unit,
    wxyz_from_xyzw,
    xyzw_from_wxyz,
)

coordinate = st.floats(-2, 2)
angle = st.floats(-1.4, 1.4)
poses = st.builds(lambda x, r: Poses.from_xyz_rpy(x, r), st.tuples(*[coordinate] * 3), st.tuples(*[angle] * 3))


def same(a: Poses, b: Poses) -> bool:
    return bool(np.allclose(a.pos_m, b.pos_m, atol=1e-9) and np.all(angle_between_rad(a.quat_xyzw, b.quat_xyzw) < 1e-7))


@given(poses)
def test_inverse_undoes_a_pose(pose):
    assert same(pose @ pose.inverse(), Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0]))


@given(poses, poses, poses)
def test_composition_is_associative(a, b, c):
    assert same((a @ b) @ c, a @ (b @ c))


@given(st.tuples(*[coordinate] * 3), st.tuples(*[angle] * 3))
def test_rpy_round_trip(xyz, rpy):
    assert np.allclose(Poses.from_xyz_rpy(xyz, rpy).rpy_rad()[0], rpy, atol=1e-7)


@given(poses, poses)
def test_rotvec_between_takes_a_to_b(a, b):
    v = rotvec_between_rad(a.quat_xyzw, b.quat_xyzw)
    moved = (Rotation.from_rotvec(v) * a.rotation).as_quat()
    assert np.all(angle_between_rad(moved, b.quat_xyzw) < 1e-7)
    assert np.allclose(np.linalg.norm(v, axis=1), angle_between_rad(a.quat_xyzw, b.quat_xyzw), atol=1e-7)


def test_quaternion_orders():
    assert np.array_equal(xyzw_from_wxyz([1, 2, 3, 4]), [2, 3, 4, 1])
    assert np.array_equal(wxyz_from_xyzw(xyzw_from_wxyz([1.0, 2, 3, 4])), [1, 2, 3, 4])


def test_batches_broadcast_against_one():
    many = Poses.from_xyz_rpy(np.zeros((5, 3)), np.zeros((5, 3)))
    one = Poses.from_xyz_rpy([1, 2, 3], [0, 0, 0.1])
    assert (many @ one).pos_m.shape == (5, 3) and (one @ many).quat_xyzw.shape == (5, 4)


# One pose as floats, against scipy.
component = st.floats(-1, 1)
quaternions = st.tuples(*[component] * 4).filter(lambda q: np.linalg.norm(q) > 1e-3).map(lambda q: unit(*q))
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
    np.testing.assert_allclose(turned_back(matrix_of(q), *v), rotation.apply(v, inverse=True), atol=1e-12)


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
        assert np.all(np.isnan(unit(*bad)))


@given(vectors, st.floats(0, 2))
def test_clipping_keeps_the_limits_and_nan(v, limit):
    limits = (limit, 2 * limit, 3 * limit)
    np.testing.assert_array_equal(clipped(v, limits), np.clip(v, np.negative(limits), limits))
    assert np.isnan(clipped((np.nan, 0.0, 0.0), limits)[0])


@given(poses)
def test_one_pose_is_the_batch_of_one_it_was_made_of(pose):
    one = OnePose.of(pose)
    assert len(one) == 1 and OnePose.of(one) is one
    np.testing.assert_array_equal(one.pos_m, pose.pos_m)
    np.testing.assert_allclose(one.quat_xyzw, pose.quat_xyzw, atol=1e-15)
    assert same(one @ one.inverse(), Poses.from_xyz_rpy([0, 0, 0], [0, 0, 0]))


def test_the_arrays_of_one_pose_are_copies():
    one = OnePose((1.0, 2.0, 3.0), (0.0, 0.0, 0.0, 1.0))
    one.pos_m[0, 0] = 7.0
    one.quat_xyzw[0, 0] = 7.0
    assert one.xyz_m == (1.0, 2.0, 3.0) and one.quat_xyzw[0, 0] == 0.0
