"""A base and several parts that are picked, inserted and let go: they lie in trays, in the hand, or on each other."""
