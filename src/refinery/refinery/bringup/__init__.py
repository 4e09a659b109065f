"""What runs on which robot, in one place: the launch file and ``refinery up`` both read it.

Imports nothing, since a node's package asks :mod:`refinery.bringup.middleware` before it imports ROS.
"""
