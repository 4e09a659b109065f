"""Refuses to start what already runs on the ROS graph: a second controller manager on one arm would fight the first."""

from __future__ import annotations

from collections.abc import Sequence

from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec, check_namespace
from refinery.errors import NotReadyError

DISCOVERY_S = 5.0
"""How long to look for nodes that drivers would start a second time, [s]. An idle machine discovers them in a fraction
of it, a busy one took 3 s; it is short compared with the start of a robot."""
OWN_S = 1.5
"""How long to look for the workspace's own nodes, [s]: enough for three observers in turn to discover one of the four
nodes of a running cell. The nodes check again themselves before they serve (:mod:`refinery.bringup.graph`)."""
_MORE_S = 0.3
"""After the first one the others of its cell get this much time, so that the message names them too, [s]."""


def check_not_running(
    includes: Sequence[IncludeSpec],
    namespace: str,
    *,
    nodes: Sequence[NodeSpec] = (),
    domain: int | None = None,
    wait_s: float | None = None,
) -> None:
    """Check that no node runs which a bring-up would start a second time.

    Args:
        includes: Launch files of drivers and MoveIt to be included.
        namespace: Their namespace, empty or with a leading slash.
        nodes: The workspace's own nodes to be started; only required ones are looked for.
        domain: ROS_DOMAIN_ID; the environment's if none is given.
        wait_s: Longest search, [s]; a node that is discovered later is missed. None: as long as what is to be started
            requires.

    Raises:
        NotReadyError: One runs; the message says how to go on.
    """
    check_namespace(namespace)
    wanted = {f"{namespace.rstrip('/')}/{include.starts}": include for include in includes}
    own = [spec.full_name for spec in nodes if spec.required]
    if not wanted and not own:
        return
    if wait_s is None:
        wait_s = DISCOVERY_S if wanted else OWN_S
    # Imported here, since the rest of the library does without ROS.
    from refinery.bringup.graph import seen_names

    seen = seen_names(domain, {*wanted, *own}, wait_s, _MORE_S)
    for name in seen:
        if name in wanted:
            include = wanted[name]
            raise NotReadyError(
                f"{name} runs already, and {include.launch_file} of {include.package} would start a second one: "
                "leave robot_ip empty if the driver runs, give moveit:=false if MoveIt does, or end what runs"
            )
    if seen:
        where = "" if domain is None else f" on domain {domain}"
        raise NotReadyError(
            f"{', '.join(seen)} {'run' if len(seen) > 1 else 'runs'} already{where}: a second cell would answer the "
            "first one's requests; end it, or choose another ROS_DOMAIN_ID or namespace"
        )
