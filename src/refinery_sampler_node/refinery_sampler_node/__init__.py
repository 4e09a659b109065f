"""Chooses initial states that a refined policy is known to win from, and puts the arm there."""
