"""How a part that was let go comes to stand."""

import numpy as np

from refinery.rotations import Poses
from refinery.sequence.standing import standing


def test_a_part_loses_its_lean_and_keeps_its_place_and_turn():
    held = Poses.from_xyz_rpy([[0.5, 0.1, 0.2]], [[0.02, -0.03, 0.4]])
    stands = standing(held)
    np.testing.assert_array_equal(stands.pos_m, held.pos_m)
    np.testing.assert_allclose(stands.rpy_rad(), [[0.0, 0.0, 0.4]], atol=1e-12)
    # What goes on 34 mm higher would be more than a millimetre off.
    up = Poses.from_xyz_rpy((0.0, 0.0, 0.034), (0.0, 0.0, 0.0))
    assert np.linalg.norm((held @ up).pos_m - (stands @ up).pos_m) > 1e-3
