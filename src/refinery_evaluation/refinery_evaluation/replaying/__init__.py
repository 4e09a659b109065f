"""Recorded insertions put once more through observation, policy and guard: did they come to the same, and where not."""
