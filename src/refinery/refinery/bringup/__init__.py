"""What runs on which robot, in one place: the launch file and ``refinery up`` both read it."""

from refinery.bringup.description import describe_bringup
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.supervisor import Supervisor

__all__ = ["NodeSpec", "Supervisor", "describe_bringup"]
