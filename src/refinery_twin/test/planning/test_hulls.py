"""Hulls contain what they wrap, with their margin, and not much more."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import ConvexHull

from refinery_twin.planning.hulls import padded_hull


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), padding=st.sampled_from([0.0, 0.002]), round_off=st.booleans())
def test_contains_all_points_and_the_margin_around_them(seed: int, padding: float, round_off: bool) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(400, 3)) * [0.05, 0.08, 0.03]
    if round_off:
        points *= 0.08 / np.linalg.norm(points, axis=1, keepdims=True)
    corners, triangles = padded_hull(points, tolerance_m=0.001, padding_m=padding)
    assert triangles.shape[1] == 3 and triangles.max() < len(corners)
    hull = ConvexHull(corners)
    directions = rng.normal(size=(20, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    around = points[:, None] + padding * directions
    heights = around.reshape(-1, 3) @ hull.equations[:, :3].T + hull.equations[:, 3]
    assert heights.max() < 1e-9
    reach = (corners @ directions.T).max(axis=0) - (points @ directions.T).max(axis=0)
    assert reach.max() < 0.015
