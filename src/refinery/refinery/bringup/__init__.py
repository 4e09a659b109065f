"""The nodes and drivers of each robot, in one place: the launch file and ``refinery up`` both use it.

Imports nothing, since a node's package asks :mod:`refinery.bringup.middleware` before it imports ROS.
"""
