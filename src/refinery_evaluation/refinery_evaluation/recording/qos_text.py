"""Reads the quality of service back that a bag says a topic was offered with."""

from __future__ import annotations

from refinery import strict_yaml
from refinery.errors import RefineryError
from refinery_evaluation.recording.topic import Qos


def qos_of(text: str) -> Qos:
    """Return the first profile of a bag's YAML; the default where there is none that can be read.

    Args:
        text: As :meth:`refinery_evaluation.recording.topic.Qos.lines` writes it.
    """
    try:
        (first, *_) = strict_yaml.parse(text, "offered_qos_profiles")
        return Qos(reliability=first["reliability"], durability=first["durability"], depth=int(first["depth"]))
    except (RefineryError, LookupError, TypeError, ValueError):
        return Qos()
