import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from refinery.rotations import Poses, angle_between_rad, rotvec_between_rad, wxyz_from_xyzw, xyzw_from_wxyz

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
