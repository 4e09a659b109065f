"""Whole assemblies without ROS: does a chain hold, and what do errors that carry over cost?"""
