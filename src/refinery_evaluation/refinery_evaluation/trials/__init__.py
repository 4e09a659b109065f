"""The demonstration: refine in simulation, then sample, place, insert and score through the ROS nodes on the twin."""
