"""Kills the assembly node at random moments on the twin, and looks whether anything is done twice or lost."""
