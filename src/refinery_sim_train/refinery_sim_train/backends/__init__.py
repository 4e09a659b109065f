"""The simulators that the insertion environment runs on, behind one protocol."""
