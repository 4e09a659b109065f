"""Runs an insertion policy on a robot: observation, network, action, guard, target; ``node.py`` is the ROS shell."""

from refinery.bringup.middleware import require_middleware

# Here, since whatever of this package imports ROS would be ended by ROS with its own words.
require_middleware("refinery_policy_node")
