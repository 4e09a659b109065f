"""Inputs from the cell: joints and tool pose, socket estimates, and transforms between frames."""
