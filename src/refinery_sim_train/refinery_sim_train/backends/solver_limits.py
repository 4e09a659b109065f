"""Limits of MuJoCo-Warp's solver, alike for all that is built on it."""

LINE_SEARCH_ITERATIONS = 50
"""MuJoCo's 20 are too few for its line search in float32, which says so at every step; success is the same."""
CONTACTS, CONSTRAINTS = 64, 200
"""Room of a cell for contacts and for constraint rows; the plug has under 30 contacts of three rows each."""
