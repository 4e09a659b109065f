"""``refinery sample``: what ``ros2 service call /sample_init`` does, where there is no ros2 command, as a table."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tyro

from refinery.bringup.middleware import ASK_AGAIN_S, check_middleware
from refinery.bringup.node_spec import check_namespace
from refinery.bringup.ros_start import init_ros
from refinery.config import check
from refinery.errors import NotReadyError
from refinery.theta_units import shown_unit


@dataclass(frozen=True, kw_only=True)
class SampleArgs:
    """Ask the sampler for initial states."""

    count: int = 1
    """How many."""
    mode: str = "best"
    """best: the mixture's, ranked by predicted success; sample: drawn from the mixture; uniform: from the box."""
    seed: int = -1
    """Of the draw; negative: a fresh one."""
    task: str = ""
    """Task to sample for; empty: the loaded one."""
    namespace: str = ""
    """Of the cell, as in /left; empty: none."""
    timeout_s: float = 10.0
    """Wait at most this long for the service, and then for its answer, [s]."""

    def __post_init__(self) -> None:
        """Validate what does not fit into the request; the node judges the rest."""
        check(0 <= self.count < 2**32, "count", "0 to 4294967295", self.count)
        check_namespace(self.namespace)
        check(self.timeout_s > 0, "timeout_s", "a positive time [s]", self.timeout_s)


def main(argv: Sequence[str]) -> int:
    """Call the service once.

    Args:
        argv: Words after ``refinery sample``.

    Returns:
        0 with states, 1 if the node refused.

    Raises:
        NotReadyError: Nobody answers.
    """
    args = tyro.cli(SampleArgs, args=list(argv), prog="refinery sample")
    check_middleware(os.environ)
    response = _call(args)
    if not response.success:
        name = f"{args.namespace}/sample_init"
        print(f"{name} refused (error {response.error_code}): {response.message}", file=sys.stderr)
        return 1
    print("\n".join(_table(response)))
    return 0


def _call(args: SampleArgs) -> Any:
    """Return the service's response; rclpy is imported here, since the rest of the library does without ROS."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from refinery.bringup.graph import namespace_hint
    from refinery_msgs.srv import SampleInit

    # Ctrl-C is for Python: the handler of rclpy would end the context under a call first.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = rclpy.create_node("refinery_sample", namespace=args.namespace or None)
        client = node.create_client(SampleInit, "sample_init")
        if not client.wait_for_service(args.timeout_s):
            hint = namespace_hint(node, "sample_init", "refinery_msgs/srv/SampleInit")
            hint = hint or "is the sampler up on this ROS_DOMAIN_ID? (refinery up --robot twin)"
            raise NotReadyError(f"no service {client.service_name} within {args.timeout_s:.0f} s; {hint}")
        request = SampleInit.Request(count=args.count, mode=args.mode, seed=args.seed, task=args.task)
        end_s = time.monotonic() + args.timeout_s
        asked: list[Any] = []
        while (left_s := end_s - time.monotonic()) > 0:
            asked.append(client.call_async(request))
            rclpy.spin_until_future_complete(node, asked[-1], timeout_sec=min(ASK_AGAIN_S, left_s))
            for future in asked:
                if future.done():
                    return future.result()
        raise NotReadyError(
            f"{client.service_name} did not answer within {args.timeout_s:.0f} s; see the sampler's log"
        )
    finally:
        rclpy.try_shutdown()


def _table(response: Any) -> list[str]:
    """Lines of a table: what varies of theta, in mm and degrees, and predicted success with its interval."""
    names = list(response.theta_names)
    rows = [response.theta[i : i + len(names)] for i in range(0, len(response.theta), len(names))]
    shown = [i for i in range(len(names)) if any(row[i] != 0 for row in rows)]
    units = [shown_unit(names[i]) for i in shown]
    titles = [f"{names[i]} [{unit}]" for i, (_, unit) in zip(shown, units, strict=True)]
    widths = [max(12, len(title)) for title in titles]
    lines = [
        " ".join(f"{title:>{width}}" for title, width in zip(titles, widths, strict=True)) + "   predicted success"
    ]
    for row, theta in enumerate(rows):
        columns = zip(shown, units, widths, strict=True)
        cells = " ".join(f"{theta[i] * factor:{width}.2f}" for i, (factor, _), width in columns)
        low, high = response.success_low[row], response.success_high[row]
        chance = response.success_probability[row]
        lines.append(f"{cells}   {100 * chance:.1f} % ({100 * low:.1f} to {100 * high:.1f} %)")
    lines.append(
        f"task {response.task}, seed {response.seed_used}, {response.candidates} candidates, "
        f"{response.rejected} rejected"
    )
    return lines
