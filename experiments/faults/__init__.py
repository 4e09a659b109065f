"""The fault campaign: faults injected into insertions on the twin."""
