"""Faults that the twin injects on request, to test the reactions to them."""

from refinery_twin.faults.kinds import KINDS, STREAMS, FaultKind
from refinery_twin.faults.schedule import Fault, FaultError, FaultSchedule
from refinery_twin.faults.stopped_clock import StoppedClock
from refinery_twin.faults.stream import FaultyStream

__all__ = ["KINDS", "STREAMS", "Fault", "FaultError", "FaultKind", "FaultSchedule", "FaultyStream", "StoppedClock"]
