"""Whole assemblies on the twin through the real nodes, disturbed or not."""
