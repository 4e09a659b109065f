"""What runs on every policy tick, free of ROS: samples, guard, and the runtime that joins them."""

from refinery.tick import compiled

compiled.install()
