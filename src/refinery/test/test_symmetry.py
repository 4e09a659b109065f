import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinery.rotations import Poses, angle_between_rad
from refinery.symmetry import nearest_equivalent

ORDERS = st.integers(0, 8)
ANGLES = st.floats(-np.pi, np.pi)
PLACES = st.builds(
    lambda xyz, rpy: Poses.from_xyz_rpy(xyz, rpy),
    st.tuples(*[st.floats(-0.5, 0.5)] * 3),
    st.tuples(ANGLES, st.floats(-1.5, 1.5), ANGLES),
)


def yawed(pose, angle_rad):
    return pose @ Poses.from_xyz_rpy((0, 0, 0), (0, 0, angle_rad))


def angle(a, b):
    return float(angle_between_rad(a.quat_xyzw, b.quat_xyzw)[0])


@given(PLACES, PLACES, st.integers(1, 8))
def test_it_is_the_nearest_of_all_that_look_the_same(pose, reference, order):
    ways = [angle(yawed(pose, 2 * np.pi * k / order), reference) for k in range(order)]
    found = nearest_equivalent(pose, reference, order)
    assert angle(found, reference) == pytest.approx(min(ways), abs=1e-7)
    assert min(angle(found, yawed(pose, 2 * np.pi * k / order)) for k in range(order)) < 1e-7


@given(PLACES, PLACES, ANGLES)
def test_of_a_round_part_no_turn_is_nearer(pose, reference, turn):
    found = nearest_equivalent(pose, reference, 0)
    assert angle(found, reference) <= angle(yawed(pose, turn), reference) + 1e-7
    axis, was = (each.rotation.as_matrix()[0, :, 2] for each in (found, pose))
    assert axis == pytest.approx(was, abs=1e-9)


@given(PLACES, PLACES, ORDERS)
def test_the_position_stays_and_a_second_time_changes_nothing(pose, reference, order):
    found = nearest_equivalent(pose, reference, order)
    assert found.pos_m.tolist() == pose.pos_m.tolist()
    assert np.linalg.norm(found.quat_xyzw) == pytest.approx(1, abs=1e-9)
    assert angle(nearest_equivalent(found, reference, order), reference) == pytest.approx(
        angle(found, reference), abs=1e-7
    )


@given(PLACES, PLACES)
def test_without_symmetry_the_orientation_stays(pose, reference):
    assert angle(nearest_equivalent(pose, reference, 1), pose) < 1e-7


@given(PLACES, st.integers(1, 8), st.integers(-8, 8), st.floats(-0.3, 0.3))
def test_whole_turns_of_the_section_leave_the_rest(reference, order, turns, rest):
    found = nearest_equivalent(yawed(reference, 2 * np.pi * turns / order + rest), reference, order)
    assert angle(found, yawed(reference, rest)) < 1e-7


@given(st.lists(PLACES, min_size=2, max_size=5), PLACES, ORDERS)
def test_a_batch_against_one_reference_is_each_alone(poses, reference, order):
    batch = Poses(
        pos_m=np.vstack([each.pos_m for each in poses]), quat_xyzw=np.vstack([each.quat_xyzw for each in poses])
    )
    found = nearest_equivalent(batch, reference, order)
    for i, each in enumerate(poses):
        alone = nearest_equivalent(each, reference, order)
        assert found[i].quat_xyzw == pytest.approx(alone.quat_xyzw, abs=1e-12)


def test_the_other_way_round_is_an_outlier_only_where_the_section_says_so():
    reference = Poses.from_xyz_rpy((0.5, 0, 0), (0.1, 0, 2.5))
    turned = yawed(reference, np.pi)
    rest = {order: angle(nearest_equivalent(turned, reference, order), reference) for order in (0, 1, 2, 3, 4)}
    assert rest == pytest.approx({0: 0, 1: np.pi, 2: 0, 3: np.pi / 3, 4: 0}, abs=1e-7)
