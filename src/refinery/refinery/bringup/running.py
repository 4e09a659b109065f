"""What runs on the ROS graph already: a second controller manager on one arm would fight the first."""

from __future__ import annotations

import time
from collections.abc import Sequence

from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import check_namespace
from refinery.errors import NotReadyError

DISCOVERY_S = 5.0
"""How long to look for other nodes, [s]. A quiet machine sees them in a fraction of it, a busy one took 3 s; next to
the start of a robot it does not count."""
_POLL_S = 0.05


def check_not_running(includes: Sequence[IncludeSpec], namespace: str, *, wait_s: float = DISCOVERY_S) -> None:
    """Check that no node runs which the launch files would start a second time.

    Args:
        includes: What is to be started.
        namespace: Where, empty or with a leading slash.
        wait_s: Look for this long, [s]; a node that is discovered later is missed.

    Raises:
        NotReadyError: One runs; the message says how to go on.
    """
    check_namespace(namespace)
    wanted = {f"{namespace.rstrip('/')}/{include.starts}": include for include in includes}
    if not wanted:
        return
    for name in _seen(set(wanted), wait_s):
        include = wanted[name]
        raise NotReadyError(
            f"{name} runs already, and {include.launch_file} of {include.package} would start a second one: "
            "leave robot_ip empty if the driver runs, give moveit:=false if MoveIt does, or end what runs"
        )


def _seen(names: set[str], wait_s: float) -> list[str]:
    """Return which of some full node names are on the graph, as soon as there is one."""
    # Imported here, since the rest of the library does without ROS.
    import rclpy
    from rclpy.context import Context

    context = Context()
    rclpy.init(context=context)
    try:
        node = rclpy.create_node("refinery_bringup_check", context=context)
        end = time.monotonic() + wait_s
        while True:
            found = {f"{space.rstrip('/')}/{name}" for name, space in node.get_node_names_and_namespaces()}
            if (both := sorted(found & names)) or time.monotonic() >= end:
                return both
            time.sleep(_POLL_S)
    finally:
        rclpy.shutdown(context=context)
