"""Sequences of insertions that put an assembly together (``config/sequences/*.yaml``), without ROS."""
