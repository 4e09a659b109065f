"""Lets the outcomes of real trials correct the success model that chooses where insertions start."""
