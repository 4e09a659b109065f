"""Runs an insertion policy on a robot: observation, network, action, guard, target; ``node.py`` is the ROS shell."""
