"""Chooses initial states that a refined policy is known to win from, and puts the arm there."""

from refinery.bringup.middleware import require_middleware

# Here, since whatever of this package imports ROS would be ended by ROS with its own words.
require_middleware("refinery_sampler_node")
