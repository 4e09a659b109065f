"""The robot cell without the robot: a MuJoCo arm and its parts behind the topics of the real cell."""

from refinery.bringup.middleware import require_middleware

# Here, since whatever of this package imports ROS would be ended by ROS with its own words.
require_middleware("refinery_twin")
