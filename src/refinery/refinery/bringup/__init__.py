"""What runs on which robot, in one place: the launch file and ``refinery up`` both read it."""

from refinery.bringup.description import describe_bringup
from refinery.bringup.drivers import describe_drivers
from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec
from refinery.bringup.running import check_not_running
from refinery.bringup.supervisor import Supervisor

__all__ = ["IncludeSpec", "NodeSpec", "Supervisor", "check_not_running", "describe_bringup", "describe_drivers"]
