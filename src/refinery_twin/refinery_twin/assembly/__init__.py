"""The twin with the parts of a sequence: trays, a gripper that takes and lets go, estimates of the base."""
