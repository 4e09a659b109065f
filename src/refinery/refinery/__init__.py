"""Shared, ROS-free library of Refinery: tasks, initial states, bundles, statistics, bring-up."""
