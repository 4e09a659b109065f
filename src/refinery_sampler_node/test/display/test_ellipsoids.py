"""The ellipsoids drawn in RViz cover what the mixture draws."""

from __future__ import annotations

import numpy as np

from refinery.bundle import Bundle
from refinery.initial_state import plug_pose
from refinery.rotations import Poses
from refinery_sampler_node.display.ellipsoids import position_ellipsoids

SOCKET = Poses.from_xyz_rpy([0.5, 0.1, 0.1], [0.1, 0.0, 0.7])


def test_most_draws_lie_in_an_ellipsoid(bundle: Bundle) -> None:
    mixture = bundle.initial_states.mixture
    tips = plug_pose(SOCKET, mixture.sample(2000, np.random.default_rng(0)))
    inside = np.zeros(len(tips), dtype=bool)
    for item in position_ellipsoids(mixture, SOCKET):
        local = (item.pose.inverse() @ tips).pos_m / item.half_axes_m
        inside |= np.linalg.norm(local, axis=1) <= 1
    # Two dimensions of position vary: 86 % of a Gaussian lie within 2 sigma.
    assert inside.mean() > 0.84


def test_heaviest_first_and_axes_in_metres(bundle: Bundle) -> None:
    items = position_ellipsoids(bundle.initial_states.mixture, SOCKET)
    assert [item.weight for item in items] == [0.6, 0.4]
    for item in items:
        assert np.all((item.half_axes_m > 0) & (item.half_axes_m < 0.02))
        np.testing.assert_allclose(np.linalg.norm(item.pose.quat_xyzw), 1.0)
