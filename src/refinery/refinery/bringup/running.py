"""What runs on the ROS graph already: a second controller manager on one arm would fight the first."""

from __future__ import annotations

from collections.abc import Sequence

from refinery.bringup.include_spec import IncludeSpec
from refinery.bringup.node_spec import NodeSpec, check_namespace
from refinery.errors import NotReadyError

DISCOVERY_S = 5.0
"""How long to look for nodes that drivers would double, [s]. A quiet machine sees them in a fraction of it, a busy one
took 3 s; next to the start of a robot it does not count."""
OWN_S = 1.5
"""How long to look for our own nodes, [s]: three onlookers, one after the other, need to see one of the four nodes of a
running cell. The nodes look again themselves before they serve (:mod:`refinery.bringup.graph`)."""
_MORE_S = 0.3
"""Once one is seen, the others of its cell are waited for so long, to name them too, [s]."""


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
        includes: Launch files of drivers and MoveIt that are to be included.
        namespace: Where, empty or with a leading slash.
        nodes: Our own nodes that are to be started; those that have to stay.
        domain: ROS_DOMAIN_ID; the environment's if none is given.
        wait_s: Look for this long, [s]; a node that is discovered later is missed. If none is given, it depends on
            what is to be started.

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
