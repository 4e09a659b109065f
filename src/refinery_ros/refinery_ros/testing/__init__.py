"""Fixtures for tests that run nodes on a real ROS graph."""
